"""What every Rows must do."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, ClassVar

import pytest
from pydantic import AwareDatetime

from goalrunner_shared.conformance.racing import RACERS, race
from goalrunner_shared.errors import PermanentError
from goalrunner_shared.rows import MAX_ROW_BYTES, Row, Rows, change


class Account(Row):
    """A row with a field of each awkward kind."""

    KIND: ClassVar[str] = "account"

    balance: int = 0
    note: str = ""
    opened: AwareDatetime | None = None
    anything: Any = None


class Account2(Row):
    """A kind whose name begins like the other's."""

    KIND: ClassVar[str] = "account2"

    note: str = ""


ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -(2**63),
    2**80,
    0.1,
    1e308,
    5e-324,
    "",
    "\x00\x07\x1f\x7f",
    "Größe ☀️ \u202e\ufeff",
    '"}\\ {"S": ":read"}',
    [],
    {},
    {"": {"data": [1, [2.5, None], "three"]}, "pk": "x", "version": 7},
)
KEYS = ("a", "lisbon-flat.2026-01-01T1000Z.3f2a1b", "a#b|c:d/e", "Größe ☀️", "with space", "x" * 900)


class RowsConformance:
    """Give it a fixture `rows` that is empty for each test."""

    def test_nothing_is_there_at_first(self, rows: Rows) -> None:
        assert rows.get(Account, "a") is None
        assert list(rows.all(Account)) == []

    def test_a_row_is_added_once(self, rows: Rows) -> None:
        assert rows.add("a", Account(note="first"))
        assert not rows.add("a", Account(note="second"))
        assert rows.get(Account, "a") == Account(note="first", version=1)

    def test_a_row_counts_its_versions(self, rows: Rows) -> None:
        rows.add("a", Account())
        for version in (1, 2, 3):
            row = rows.get(Account, "a")
            assert row is not None
            assert row.version == version
            assert rows.replace("a", row.model_copy(update={"balance": version}))

    def test_what_was_read_before_a_change_replaces_nothing(self, rows: Rows) -> None:
        rows.add("a", Account())
        stale = rows.get(Account, "a")
        assert stale is not None
        assert rows.replace("a", stale.model_copy(update={"note": "mine"}))
        assert not rows.replace("a", stale.model_copy(update={"note": "late"}))
        assert rows.get(Account, "a") == Account(note="mine", version=2)

    def test_what_is_not_there_is_not_replaced(self, rows: Rows) -> None:
        assert not rows.replace("a", Account())
        assert not rows.replace("a", Account(version=1))
        assert rows.get(Account, "a") is None

    def test_what_was_never_read_replaces_nothing(self, rows: Rows) -> None:
        rows.add("a", Account(note="first"))
        assert not rows.replace("a", Account(note="blind"))
        assert rows.get(Account, "a") == Account(note="first", version=1)

    def test_a_row_is_removed_only_as_it_was_read(self, rows: Rows) -> None:
        rows.add("a", Account())
        stale = rows.get(Account, "a")
        assert stale is not None
        rows.replace("a", stale)
        assert not rows.remove("a", stale)
        assert rows.remove("a", stale.model_copy(update={"version": 2}))
        assert not rows.remove("a", stale)
        assert rows.get(Account, "a") is None

    def test_a_removed_row_may_be_added_again(self, rows: Rows) -> None:
        rows.add("a", Account(note="old"))
        rows.remove("a", Account(version=1))
        assert rows.add("a", Account(note="new"))
        assert rows.get(Account, "a") == Account(note="new", version=1)

    @pytest.mark.parametrize("value", ODD_VALUES, ids=repr)
    def test_an_odd_value_comes_back_as_it_was(self, rows: Rows, value: Any) -> None:
        rows.add("a", Account(anything=value))
        found = rows.get(Account, "a")
        assert found is not None
        assert (found.anything, type(found.anything)) == (value, type(value))

    def test_an_instant_keeps_its_microseconds_whatever_its_zone(self, rows: Rows) -> None:
        instant = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
        rows.add("a", Account(opened=instant))
        found = rows.get(Account, "a")
        assert found is not None
        assert found.opened == instant.astimezone(UTC)

    @pytest.mark.parametrize("key", KEYS)
    def test_any_key_keeps_its_spelling(self, rows: Rows, key: str) -> None:
        assert rows.add(key, Account(note="here"))
        assert rows.get(Account, key) == Account(note="here", version=1)
        assert [found for found, _ in rows.all(Account)] == [key]

    def test_kinds_do_not_see_one_another(self, rows: Rows) -> None:
        rows.add("a", Account(note="one"))
        assert rows.add("a", Account2(note="two"))
        rows.add("b", Account2())
        assert [key for key, _ in rows.all(Account)] == ["a"]
        assert [key for key, _ in rows.all(Account2)] == ["a", "b"]
        assert rows.get(Account, "b") is None

    def test_all_come_in_the_order_of_their_keys_bytes(self, rows: Rows) -> None:
        keys = ["b", "a", "ä", "A", "a-b", "a.b", "😀", "\uffee", "aa"]
        for key in keys:
            rows.add(key, Account(note=key))
        found = list(rows.all(Account))
        assert [key for key, _ in found] == sorted(keys, key=str.encode)
        assert all(row == Account(note=key, version=1) for key, row in found)

    def test_big_rows_come_back_and_more_of_them_than_a_page(self, rows: Rows) -> None:
        for number in range(5):
            rows.add(f"{number}", Account(balance=number, note="ä" * 150_000))
        assert [row.balance for _, row in rows.all(Account)] == [0, 1, 2, 3, 4]
        last = rows.get(Account, "4")
        assert last is not None
        assert last.note == "ä" * 150_000

    def test_a_row_too_big_for_the_table_is_refused_by_name(self, rows: Rows) -> None:
        rows.add("a", Account())
        with pytest.raises(PermanentError, match=r"a row account of .* too big"):
            rows.add("b", Account(note="x" * MAX_ROW_BYTES))
        with pytest.raises(PermanentError, match=r"a row account of .* too big"):
            rows.replace("a", Account(version=1, note="x" * MAX_ROW_BYTES))
        assert list(rows.all(Account)) == [("a", Account(version=1))]

    def test_one_of_many_adds_at_once_wins(self, rows: Rows) -> None:
        won = race(lambda number: rows.add("a", Account(balance=number)))
        assert sum(won) == 1
        assert rows.get(Account, "a") == Account(balance=won.index(True), version=1)

    def test_one_of_many_replaces_at_once_wins(self, rows: Rows) -> None:
        rows.add("a", Account())
        won = race(lambda number: rows.replace("a", Account(version=1, balance=number)))
        assert sum(won) == 1
        assert rows.get(Account, "a") == Account(balance=won.index(True), version=2)

    def test_changes_at_once_are_all_counted(self, rows: Rows) -> None:
        rows.add("a", Account())

        def deposit(_: int) -> None:
            assert change(rows, Account, "a", lambda row: row.model_copy(update={"balance": row.balance + 1}))

        race(deposit)
        assert rows.get(Account, "a") == Account(balance=RACERS, version=1 + RACERS)

    def test_a_change_that_is_none_writes_nothing(self, rows: Rows) -> None:
        rows.add("a", Account(note="as it is"))
        assert change(rows, Account, "a", lambda row: None) == Account(note="as it is", version=1)
        assert rows.get(Account, "a") == Account(note="as it is", version=1)
        assert change(rows, Account, "b", lambda row: row) is None

    def test_a_change_returns_the_row_as_the_table_has_it(self, rows: Rows) -> None:
        rows.add("a", Account())
        changed = change(rows, Account, "a", lambda row: row.model_copy(update={"note": "new"}))
        assert changed == rows.get(Account, "a") == Account(note="new", version=2)
