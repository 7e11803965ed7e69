"""The journal is read in one order, whatever order it was written in."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalrunner_events import Meta
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.errors import MalformedMessage
from goalrunner_shared.journal import JournalEntry, in_order, journal_key, read_entry, read_journal

START = datetime(2026, 1, 1, 10, tzinfo=UTC)


def _entry(number: int, cause: int | None = None, minute: int = 0) -> JournalEntry:
    meta = Meta(
        event_id=f"event-{number:02}",
        correlation_id="shelf.2026-01-01T1000Z.abcdef",
        causation_id=None if cause is None else f"event-{cause:02}",
        occurred_at=START + timedelta(minutes=minute),
    )
    return JournalEntry("step.ready.v1", meta, _envelope(meta))


def _envelope(meta: Meta) -> dict[str, object]:
    detail = {"meta": meta.model_dump(mode="json"), "data": {}}
    return {"detail-type": "step.ready.v1", "source": "goalrunner.planner", "detail": detail}


@st.composite
def histories(draw: st.DrawFn) -> list[JournalEntry]:
    """Entries whose causes come earlier in the list (or lie outside it); their clocks may disagree."""
    size = draw(st.integers(0, 8))
    causes = [draw(st.none() | st.integers(0, number - 1) if number else st.none()) for number in range(size)]
    minutes = [draw(st.integers(0, 4)) for _ in range(size)]
    return [_entry(*each) for each in zip(range(size), causes, minutes, strict=True)]


@given(data=st.data())
def test_the_order_of_writing_does_not_matter(data: st.DataObject) -> None:
    history = data.draw(histories())
    repeated = data.draw(st.lists(st.sampled_from(history), max_size=3)) if history else []
    blobs = InMemoryBlobs()
    for entry in data.draw(st.permutations(history + repeated)):
        blobs.put_new(journal_key(entry.meta), json.dumps(entry.envelope).encode())
    assert read_journal(blobs, "shelf.2026-01-01T1000Z.abcdef") == in_order(history)


@given(history=histories())
def test_no_effect_stands_before_its_cause(history: list[JournalEntry]) -> None:
    ordered = [entry.meta.event_id for entry in in_order(history)]
    assert sorted(ordered) == sorted(entry.meta.event_id for entry in history)
    for entry in history:
        if entry.meta.causation_id in ordered:
            assert ordered.index(entry.meta.causation_id) < ordered.index(entry.meta.event_id)


@given(history=histories())
def test_what_causation_leaves_open_is_ordered_by_time_and_then_by_id(history: list[JournalEntry]) -> None:
    for one, other in pairwise(in_order(history)):
        assert one.order < other.order or other.meta.causation_id == one.meta.event_id


def test_a_circle_of_causes_loses_nothing() -> None:
    entries = [_entry(0, cause=1), _entry(1, cause=0), _entry(2)]
    assert [entry.meta.event_id for entry in in_order(entries)] == ["event-02", "event-00", "event-01"]


def test_a_cause_in_another_journal_is_no_cause_here() -> None:
    ordered = in_order([_entry(0, minute=1), _entry(1, cause=77)])
    assert [entry.meta.event_id for entry in ordered] == ["event-01", "event-00"]


def test_an_attempt_whose_id_begins_like_another_keeps_its_own_journal() -> None:
    blobs = InMemoryBlobs()
    blobs.put("journal/shelf.2026-01-01T1000Z.abcdef-2/x.json", b"{}")
    assert read_journal(blobs, "shelf.2026-01-01T1000Z.abcdef") == []


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"detail-type": "x.y.v1", "detail": {}}', b"\xff"])
def test_what_is_no_envelope_is_malformed(content: bytes) -> None:
    with pytest.raises(MalformedMessage):
        read_entry(content)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "x" * 201])
def test_an_id_that_is_no_name_is_malformed(name: str) -> None:
    with pytest.raises(MalformedMessage):
        journal_key(Meta(event_id="event", correlation_id=name, occurred_at=START))
