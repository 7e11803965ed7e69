"""goal.due → attempt file, attempt.planned, step.ready."""

from typing import Any

import pytest

from goalrunner_events import AttemptFinishedV1, AttemptPlannedV1, Outcome, StepReadyV1
from goalrunner_planner.rows import AttemptRow
from goalrunner_shared.errors import MalformedMessage, TransientError
from goalrunner_shared.git.port import PushRefused
from goalrunner_shared.goals.attempts import attempt_path, parse_attempt
from goalrunner_shared.goals.ids import attempt_id


def test_a_due_goal_gets_an_attempt_file_and_a_step(world: Any) -> None:
    due = world.due()
    world.handle(due)

    written = parse_attempt(world.tree()[attempt_path(due.attempt)])
    assert (written.id, written.goal_commit, written.status) == (due.attempt, due.commit, "planned")
    assert "Command: sh -c 'make report'" in written.plan
    assert "- AC1 Nothing lies on the floor" in written.plan
    [planned], [ready] = world.publisher.of(AttemptPlannedV1), world.publisher.of(StepReadyV1)
    assert (planned.title, planned.steps, planned.commit) == ("Keep shelf in order", ("main",), world.repository.tip)
    assert (ready.step, ready.job.agent.argv, ready.job.budget_usd) == ("main", ("sh", "-c", "make report"), 0.5)
    assert ready.job.agent.timeout_seconds == 300


def test_the_commit_names_goal_attempt_and_event(world: Any) -> None:
    due = world.due()
    world.handle(due)
    draft = world.repository.history()[0].draft
    assert draft.subject == "attempt(shelf): planned 2026-01-01T1000Z"
    assert draft.trailers == (("Goal-Id", "shelf"), ("Attempt-Id", due.attempt), ("Event-Id", due.event_id()))
    assert list(draft.files) == [attempt_path(due.attempt)]


def test_the_same_event_again_writes_and_says_nothing(world: Any) -> None:
    world.handle(world.due())
    tip, said = world.repository.tip, len(world.publisher.published)
    world.handle(world.due(commit=world.repository.history()[-1].id))
    assert (world.repository.tip, len(world.publisher.published)) == (tip, said)


def test_a_batch_is_one_push_and_one_commit_for_each_attempt(worlds: Any) -> None:
    world = worlds("shelf", "attic", "cellar")
    due = world.due("attic")
    world.repository.move_before_next_push({"goals/shelf.md": b"changed by hand\n"})
    world.handle(world.due("shelf"), due, due, world.due("cellar"))
    assert len(world.repository.history()) == 1 + 1 + 3
    assert world.tree()["goals/shelf.md"] == b"changed by hand\n"
    assert len(world.publisher.of(StepReadyV1)) == 3


def test_the_goal_is_read_at_the_commit_of_the_event(world: Any) -> None:
    due = world.due()
    world.repository.commit_elsewhere({"goals/shelf.md": None})
    world.handle(due)
    assert world.publisher.of(StepReadyV1)[0].job.commit == due.commit


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"goals/shelf.md": None}, "goals/shelf.md does not exist at commit"),
        ({"goals/shelf.md": b"---\nid: shelf\ntitel: x\n---\n"}, "goals/shelf.md:"),
        ({"goalrunner.yaml": b"agnet: {}\n"}, "goalrunner.yaml:1:"),
    ],
)
def test_a_goal_that_cannot_be_planned_fails_with_its_reason(
    world: Any, files: dict[str, bytes | None], reason: str
) -> None:
    world.repository.commit_elsewhere(files)
    due = world.due()
    world.handle(due)
    [finished] = world.publisher.of(AttemptFinishedV1)
    assert (finished.outcome, finished.steps, finished.attempt) == (Outcome.FAILED, (), due.attempt)
    assert finished.reason.startswith(reason)
    assert finished.reason in parse_attempt(world.tree()[attempt_path(due.attempt)]).plan
    assert not world.publisher.of(StepReadyV1)


def test_one_bad_goal_in_a_batch_stops_no_other(worlds: Any) -> None:
    world = worlds("shelf", "attic")
    world.repository.commit_elsewhere({"goals/attic.md": b"broken"})
    world.handle(world.due("attic"), world.due("shelf"))
    assert [event.goal for event in world.publisher.of(StepReadyV1)] == ["shelf"]
    assert [event.goal for event in world.publisher.of(AttemptFinishedV1)] == ["attic"]


def test_a_commit_that_is_gone_is_asked_for_twice_more_and_then_fails_the_attempt(world: Any) -> None:
    due = world.due(commit="0" * 40)
    with pytest.raises(TransientError):
        world.handle(due, receive_count=2)
    world.handle(due, receive_count=3)
    assert "no longer in the repository" in world.publisher.of(AttemptFinishedV1)[0].reason


def test_an_attempt_that_has_its_result_is_left_alone(world: Any) -> None:
    due = world.due()
    world.handle(due)
    path = attempt_path(due.attempt)
    done = world.tree()[path].replace(b"status: planned", b"status: done")
    world.repository.commit_elsewhere({path: done})
    world.rows.items.clear()
    world.publisher.published.clear()
    world.handle(due)
    assert world.tree()[path] == done
    assert world.publisher.published == []


def test_an_attempt_whose_row_is_lost_is_taken_up_again(world: Any) -> None:
    due = world.due()
    world.handle(due)
    commit = world.repository.tip
    world.repository.commit_elsewhere({"README.md": b"newer\n"})
    world.rows.items.clear()
    before = world.tree()
    world.handle(due)
    assert world.tree() == before
    assert {event.commit for event in world.publisher.of(AttemptPlannedV1)} == {commit}
    assert all(len(contents) == 1 for contents in world.contents().values())


def test_a_refused_push_leaves_the_event_in_the_queue(world: Any) -> None:
    world.repository.refuse_pushes("the work tree is dirty")
    with pytest.raises(PushRefused):
        world.handle(world.due())
    assert world.publisher.published == []
    world.repository.refuse_pushes(None)
    world.handle(world.due())
    assert len(world.publisher.of(StepReadyV1)) == 1


def test_an_attempt_of_another_goal_is_malformed(world: Any) -> None:
    with pytest.raises(MalformedMessage, match="is no attempt at shelf"):
        world.handle(world.due(attempt=attempt_id("attic", world.due().slot, "schedule")))


def test_a_failure_that_was_decided_is_not_taken_back_by_a_repeat(world: Any) -> None:
    due = world.due()
    values = due.model_dump(include={"goal", "path", "slot", "trigger", "commit"})
    world.rows.add(due.attempt, AttemptRow(**values, steps=(), problem="the commit was gone"))
    world.handle(due)
    assert [event.reason for event in world.publisher.of(AttemptFinishedV1)] == ["the commit was gone"]
    assert not world.publisher.of(StepReadyV1)
