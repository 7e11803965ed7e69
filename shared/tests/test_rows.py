from typing import ClassVar

import pytest

from goalrunner_shared.conformance.rows import Account, RowsConformance
from goalrunner_shared.errors import TransientError
from goalrunner_shared.rows import InMemoryRows, Row, change


class TestInMemoryRows(RowsConformance):
    @pytest.fixture
    def rows(self) -> InMemoryRows:
        return InMemoryRows()


class Crowded(InMemoryRows):
    """A table in which somebody else is always faster."""

    def replace(self, key: str, row: Row) -> bool:
        current = self.get(Account, key)
        assert current is not None
        super().replace(key, current)
        return super().replace(key, row)


def test_a_change_gives_up_after_a_while() -> None:
    rows = Crowded()
    rows.add("a", Account())
    with pytest.raises(TransientError, match="account a is changed by too many at once"):
        change(rows, Account, "a", lambda row: row)


class NewerAccount(Row):
    KIND: ClassVar[str] = "account"

    balance: int = 0
    currency: str = "EUR"


def test_a_row_of_another_release_is_read() -> None:
    rows = InMemoryRows()
    rows.add("a", Account(balance=3, note="of the old release"))
    assert rows.get(NewerAccount, "a") == NewerAccount(balance=3, version=1)
