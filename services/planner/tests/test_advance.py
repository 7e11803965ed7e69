"""step.finished → attempt.finished."""

from typing import Any

import pytest

from goalrunner_events import AttemptFinishedV1, Outcome
from goalrunner_shared.errors import MalformedMessage, TransientError


def test_the_last_step_ends_the_attempt(world: Any) -> None:
    due = world.due()
    world.handle(due)
    world.handle(world.finished(outcome=Outcome.FAILED, reason="exit 3", output="no rule"))
    [finished] = world.publisher.of(AttemptFinishedV1)
    assert (finished.attempt, finished.path, finished.slot) == (due.attempt, due.path, due.slot)
    assert (finished.outcome, finished.reason) == (Outcome.FAILED, "exit 3")
    assert finished.steps[0].output == "no rule"


def test_the_first_result_of_a_step_counts(world: Any) -> None:
    world.handle(world.due())
    world.handle(world.finished(summary="first"))
    world.handle(world.finished(summary="second", outcome=Outcome.FAILED))
    world.handle(world.finished(summary="first"))
    assert [event.steps[0].summary for event in world.publisher.of(AttemptFinishedV1)] == ["first"]


def test_of_two_results_at_once_the_first_in_the_row_counts(world: Any) -> None:
    world.handle(world.due())
    put, others = world.blobs.put, [world.finished(summary="first")]

    def put_while_another_is_faster(key: str, content: bytes) -> None:
        if others:
            # Its result is in the row, and it dies before it says so.
            world.die(others.pop(), after=2)
        put(key, content)

    world.blobs.put = put_while_another_is_faster
    world.handle(world.finished(summary="second"))
    assert [event.steps[0].summary for event in world.publisher.of(AttemptFinishedV1)] == ["first"]


def test_a_result_larger_than_a_row_may_be_is_kept_whole(world: Any) -> None:
    world.handle(world.due())
    world.handle(world.finished(output="x" * 600_000))
    assert len(world.publisher.of(AttemptFinishedV1)[0].steps[0].output) == 600_000
    assert all(len(text) < 2_000 for _, text in world.rows.items.values())


def test_a_result_before_its_attempt_waits_in_the_queue(world: Any) -> None:
    with pytest.raises(TransientError):
        world.handle(world.finished())
    world.handle(world.due())
    world.handle(world.finished())
    assert len(world.publisher.of(AttemptFinishedV1)) == 1


def test_a_step_that_the_attempt_does_not_have_is_malformed(world: Any) -> None:
    world.handle(world.due())
    with pytest.raises(MalformedMessage, match="no step 'other'"):
        world.handle(world.finished(step="other"))


def test_a_goal_due_after_the_end_changes_nothing(world: Any) -> None:
    due = world.due()
    world.handle(due)
    world.handle(world.finished())
    said = len(world.publisher.published)
    world.handle(due)
    assert len(world.publisher.published) == said
