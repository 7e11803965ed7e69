"""Rejections and reports reach the human once."""

from datetime import UTC, datetime
from typing import Any

from goalrunner_events import GoalRejectedV1, NotificationFailedV1, NotificationSentV1, Outcome, ResultReportedV1
from goalrunner_notifier.ports import ChannelRefused

REJECTED = GoalRejectedV1(path="goals/a.md", blob="b1", line=3, problem="`titel` is unknown", hint="type title")
REPORTED = ResultReportedV1(
    attempt="a.2026-01-01T1000Z.3f2a1b",
    goal="a",
    slot=datetime(2026, 1, 1, 10, tzinfo=UTC),
    outcome=Outcome.FAILED,
    reason="exit 3",
    summary="Nothing found",
    commit="c0ffee",
    cost_usd=0.1,
)


def test_a_rejected_goal_is_told_with_file_line_and_hint(world: Any) -> None:
    world.hear(REJECTED)
    (notice,) = world.channel.sent
    assert (notice.kind, notice.text) == ("rejection", "goals/a.md:3: `titel` is unknown; type title")
    (sent,) = world.publisher.of(NotificationSentV1)
    assert (sent.notification, sent.message_id) == (notice.key, f"message-{notice.key}")


def test_a_report_is_told_with_outcome_reason_and_cost(world: Any) -> None:
    world.hear(REPORTED)
    (notice,) = world.channel.sent
    assert (notice.kind, notice.title, notice.text) == ("report", "a: failed", "exit 3\nNothing found")
    assert (notice.attempt, notice.cost_usd) == (REPORTED.attempt, 0.1)


def test_what_is_heard_twice_is_told_once_under_one_event_id(world: Any) -> None:
    world.hear(REPORTED)
    world.hear(REPORTED)
    assert len(world.channel.sent) == 1
    assert len({meta.event_id for meta, _ in world.publisher.published}) == 1


def test_a_new_version_of_the_file_is_told_anew(world: Any) -> None:
    world.hear(REJECTED)
    world.hear(REJECTED.model_copy(update={"blob": "b2"}))
    assert len(world.channel.sent) == 2


def test_a_refused_notice_is_said_on_the_bus(world: Any) -> None:
    world.channel.failures = [ChannelRefused("no such chat")]
    world.hear(REJECTED)
    (failed,) = world.publisher.of(NotificationFailedV1)
    assert failed.reason == "no such chat"
    assert world.publisher.of(NotificationSentV1) == []
