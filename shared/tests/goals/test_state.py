import re
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from goalrunner_shared.errors import InputError
from goalrunner_shared.goals.state import BEGIN, END, GoalState, find_block, read_state, with_state, without_block

FULL = GoalState(
    last_attempt="lisbon-flat.2026-01-01T1000Z.3f2a1b",
    slot=datetime(2026, 1, 1, 10, tzinfo=UTC),
    outcome="progressed",
    spent_usd=Decimal("3.12"),
    attempts=4,
    next_due=datetime(2026, 1, 2, 9, tzinfo=UTC),
)
instants = st.datetimes(timezones=st.just(UTC)) | st.none()
counts = st.integers(0, 10**6)
extras = st.dictionaries(st.from_regex(r"later_[a-z0-9_]{1,20}", fullmatch=True), st.text(), max_size=3)
states = st.builds(
    lambda extra, **known: GoalState.model_validate({**extra, **known}),
    extras,
    last_attempt=st.sampled_from([None, FULL.last_attempt]),
    slot=instants,
    outcome=st.sampled_from([None, "done", "failed", "waiting"]),
    spent_usd=st.decimals(0, 10_000, places=6),
    attempts=counts,
    failures_in_row=counts,
    no_progress_in_row=counts,
    next_due=instants,
)
pieces = st.sampled_from(
    [
        "\n",
        "\r\n",
        "\r",
        "---\n",
        "title: $1 \\g<0> \\1\n",
        "é\u2028\U0001f600",
        "`<!-- goalrunner:state begin -->`",
        "-->",
    ]
)
contents = (
    st.binary(max_size=200)
    | st.lists(pieces | st.text(max_size=20)).map(lambda parts: "".join(parts).encode("utf-8", "replace"))
).filter(lambda content: not re.search(rb"(?m)^[ \t]*<!--[ \t]*goalrunner:state", content))


@given(contents, states)
def test_a_state_is_read_back_as_it_was_written(content: bytes, state: GoalState) -> None:
    assert read_state(with_state(content, state)) == state


@given(contents, states)
def test_to_write_a_state_twice_is_to_write_it_once(content: bytes, state: GoalState) -> None:
    once = with_state(content, state)
    assert with_state(once, state) == once


@given(contents, contents, states, states)
def test_every_byte_outside_the_block_stays(above: bytes, below: bytes, first: GoalState, second: GoalState) -> None:
    appended = with_state(above, first)
    assert appended.startswith(above)
    assert appended.removeprefix(above).strip().startswith(BEGIN.encode())
    content = appended + b"\n" + below
    replaced = with_state(content, second)
    old, new = find_block(content), find_block(replaced)
    assert old is not None
    assert new is not None
    assert replaced[: new.start] == content[: old.start]
    assert replaced[new.end :] == content[old.end :]
    assert without_block(replaced) == without_block(content)


def test_the_block_is_lines_that_a_person_can_read_and_yaml_too() -> None:
    content = with_state(b"---\nid: a\n---\nText\n", FULL).decode()
    assert content.startswith(
        "---\nid: a\n---\nText\n\n" + BEGIN + "\nlast_attempt: lisbon-flat.2026-01-01T1000Z.3f2a1b\n"
    )
    assert content.endswith("\nspent_usd: 3.12\nattempts: 4\nfailures_in_row: 0\nno_progress_in_row: 0\n"
                            'next_due: 2026-01-02T09:00:00Z\n' + END + "\n")  # fmt: skip
    block = content.partition(BEGIN)[2].partition(END)[0]
    assert yaml.safe_load(block)["next_due"] == FULL.next_due


def test_the_block_has_the_line_ends_of_its_file() -> None:
    content = with_state(b"a\r\nb", FULL)
    assert content.count(b"\n") == content.count(b"\r\n")


def test_keys_of_a_later_version_are_kept() -> None:
    state = GoalState.model_validate({"attempts": 1, "mood": "--> <!-- goalrunner:state end -->\n# no"})
    content = with_state(b"", state)
    assert read_state(content) == state
    assert content.count(b"-->") == content.count(b"<!--") == 2


def test_a_broken_block_is_neither_read_nor_written() -> None:
    content = f"x\n{BEGIN}\nattempts: 1\n".encode()
    with pytest.raises(InputError, match="line 2: the state block begins here and never ends"):
        with_state(content, FULL)
    with pytest.raises(InputError, match="line 2"):
        read_state(content)


def test_a_file_without_a_block_has_no_state() -> None:
    assert read_state(b"---\nid: a\n---\n") is None


def test_a_block_is_set_apart_from_the_text_above_it() -> None:
    for content in (b"Text", b"Text\n"):
        assert with_state(content, FULL).startswith(b"Text\n\n<!-- ")
