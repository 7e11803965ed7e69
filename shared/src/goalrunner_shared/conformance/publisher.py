"""What every Publisher must do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

import pytest

from goalrunner_events import (
    MAX_HOPS,
    Event,
    GoalDueV1,
    Meta,
    NotificationSentV1,
    ScanRequestedV1,
    StepFinishedV1,
    StepResult,
    Trigger,
)
from goalrunner_events.attempts import Outcome
from goalrunner_shared.blobs import Blobs
from goalrunner_shared.errors import PermanentError
from goalrunner_shared.publisher import MAX_DATA_BYTES, Publisher

NOW = datetime(2026, 1, 1, 10, 0, 5, 250_000, tzinfo=UTC)
ATTEMPT = "a.2026-01-01T1000Z.0000a1"
SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)
CAUSE = Meta(event_id="cause", correlation_id="scan.x", hops=3, occurred_at=SLOT, trace_id="trace")


class Bus(Protocol):
    """A publisher whose clock stands at NOW, and what came out of it at the other end."""

    @property
    def publisher(self) -> Publisher: ...

    @property
    def blobs(self) -> Blobs:
        """Where too big data goes."""

    def delivered(self, count: int) -> Sequence[tuple[Meta, Event]]:
        """The events that arrived, as a consumer reads them, once there are `count` of them; in any order."""


def sent(number: int = 0) -> NotificationSentV1:
    """A small event."""
    return NotificationSentV1(notification=f"n{number}", channel="terminal", message_id="m ☀️ \"'{}\\")


def due(*, trigger: Trigger = Trigger.SCHEDULE) -> GoalDueV1:
    """An event with which an attempt begins."""
    return GoalDueV1(attempt=ATTEMPT, goal="a", path="goals/a.md", commit="c", slot=SLOT, trigger=trigger)


def finished(output: str) -> StepFinishedV1:
    """An event that may be big."""
    return StepFinishedV1(
        attempt=ATTEMPT, goal="a", result=StepResult(step="main", outcome=Outcome.DONE, output=output)
    )


class PublisherConformance:
    """Give it a fixture `bus`."""

    def test_an_event_arrives_as_it_was_said(self, bus: Bus) -> None:
        bus.publisher.publish(due(), cause=CAUSE)
        [(meta, event)] = bus.delivered(1)
        assert event == due()
        assert meta.occurred_at == NOW

    def test_meta_is_filled_in_from_the_cause(self, bus: Bus) -> None:
        bus.publisher.publish(sent(), cause=CAUSE)
        [(meta, event)] = bus.delivered(1)
        assert meta == Meta(
            event_id=event.event_id(),
            correlation_id="scan.x",
            causation_id="cause",
            hops=3,
            occurred_at=NOW,
            trace_id="trace",
        )

    def test_without_a_cause_an_event_begins_its_own_story(self, bus: Bus) -> None:
        bus.publisher.publish(sent(), ScanRequestedV1(slot=SLOT), cause=None)
        metas = {type(event): meta for meta, event in bus.delivered(2)}
        first, scan = metas[NotificationSentV1], metas[ScanRequestedV1]
        assert first.correlation_id == first.trace_id == first.event_id
        assert scan.correlation_id == "scan.2026-01-01T1000Z"
        assert (first.causation_id, first.hops) == (None, 0)

    def test_an_attempt_is_its_own_correlation(self, bus: Bus) -> None:
        bus.publisher.publish(due(), cause=CAUSE)
        [(meta, _)] = bus.delivered(1)
        assert (meta.correlation_id, meta.causation_id) == (ATTEMPT, "cause")

    def test_a_repeat_has_the_same_id(self, bus: Bus) -> None:
        bus.publisher.publish(sent(), cause=CAUSE)
        bus.publisher.publish(sent(), cause=None)
        first, second = bus.delivered(2)
        assert first[0].event_id == second[0].event_id == sent().event_id()

    def test_nothing_to_say_is_fine(self, bus: Bus) -> None:
        bus.publisher.publish(cause=CAUSE)
        bus.publisher.publish(sent(), cause=CAUSE)
        assert len(bus.delivered(1)) == 1

    def test_more_events_than_one_call_takes_all_arrive_once(self, bus: Bus) -> None:
        bus.publisher.publish(*(sent(number) for number in range(23)), cause=CAUSE)
        said = [event.notification for _, event in bus.delivered(23) if isinstance(event, NotificationSentV1)]
        assert sorted(said) == sorted(f"n{number}" for number in range(23))

    def test_only_an_attempt_made_because_of_an_attempt_is_a_hop(self, bus: Bus) -> None:
        bus.publisher.publish(due(trigger=Trigger.DEPENDENCY), sent(), cause=CAUSE)
        hops = {type(event): meta.hops for meta, event in bus.delivered(2)}
        assert hops == {GoalDueV1: 4, NotificationSentV1: 3}

    def test_too_many_hops_are_refused_and_nothing_of_the_call_is_said(self, bus: Bus) -> None:
        last = CAUSE.model_copy(update={"hops": MAX_HOPS})
        with pytest.raises(PermanentError, match=r"goal\.due\.v1: more than 12 attempts"):
            bus.publisher.publish(sent(1), due(trigger=Trigger.DEPENDENCY), cause=last)
        bus.publisher.publish(sent(2), cause=last)
        assert [event for _, event in bus.delivered(1)] == [sent(2)]

    def test_what_just_fits_travels_in_the_event(self, bus: Bus) -> None:
        room = MAX_DATA_BYTES - len(finished("").model_dump_json())
        bus.publisher.publish(finished("x" * room), cause=CAUSE)
        assert [event for _, event in bus.delivered(1)] == [finished("x" * room)]
        assert list(bus.blobs.keys("")) == []

    def test_what_is_too_big_goes_through_the_bucket(self, bus: Bus) -> None:
        event = finished("ä\n" * 100_000)
        bus.publisher.publish(event, cause=CAUSE)
        assert [found for _, found in bus.delivered(1)] == [event]
        [key] = bus.blobs.keys("")
        assert key.startswith(f"events/step.finished.v1/{event.event_id()}-")

    def test_many_events_of_the_full_size_arrive(self, bus: Bus) -> None:
        room = MAX_DATA_BYTES - 1_000
        events = [
            StepFinishedV1(
                attempt=f"a.2026-01-01T1000Z.{number:06x}",
                goal="a",
                result=StepResult(step="main", outcome=Outcome.DONE, output="x" * room),
            )
            for number in range(6)
        ]
        bus.publisher.publish(*events, cause=CAUSE)
        arrived = {meta.event_id for meta, _ in bus.delivered(6)}
        assert arrived == {event.event_id() for event in events}
