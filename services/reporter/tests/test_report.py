"""attempt.finished → a commit and result.reported."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from goalrunner_events import ResultReportedV1
from goalrunner_shared.errors import MalformedMessage
from goalrunner_shared.git.port import PushRefused
from goalrunner_shared.goals.attempts import attempt_path

BLOCK = b"""<!-- goalrunner:state begin -->
slot: 2025-12-31T10:00:00Z
next_due: 2026-01-01T10:00:00Z
<!-- goalrunner:state end -->
"""


def test_a_result_is_committed_and_said(world: Any) -> None:
    attempt = world.plan()
    world.handle(world.ended(files={"list.md": b"tidy\n"}, cost_usd=0.25, tokens_in=7, model="claude-x", output="ok"))

    written = world.attempt(attempt)
    assert (written.status, written.plan, written.result, written.output) == ("done", "Tidy up.", "Day 0.", "ok")
    assert (written.cost_usd, written.tokens_in, written.model) == (Decimal("0.25"), 7, "claude-x")
    assert written.artifacts == ("artifacts/shelf/list.md",)
    assert world.tree()["artifacts/shelf/list.md"] == b"tidy\n"
    assert world.tree()["README.md"] == b"mine\n"
    state = world.state()
    assert (state.last_attempt, state.outcome, state.attempts, state.spent_usd) == (attempt, "done", 1, Decimal("0.25"))

    [said] = world.publisher.of(ResultReportedV1)
    assert (said.commit, said.cost_usd, said.summary) == (world.repository.tip, 0.25, "Day 0.")
    assert said.artifacts == ("artifacts/shelf/list.md",)
    assert said.next_due == state.next_due == datetime(2026, 1, 2, 10, tzinfo=UTC)


def test_the_commit_names_goal_attempt_and_event(world: Any) -> None:
    world.plan()
    ended = world.ended(outcome="failed", reason="exit 3")
    world.handle(ended)
    draft = world.repository.history()[0].draft
    assert draft.subject == "attempt(shelf): failed"
    assert draft.trailers == (("Goal-Id", "shelf"), ("Attempt-Id", ended.attempt), ("Event-Id", ended.event_id()))


def test_what_the_human_wrote_meanwhile_survives_byte_for_byte(world: Any) -> None:
    world.plan()
    world.handle(world.ended())
    block = world.tree()["goals/shelf.md"].partition(b"<!--")[2]
    mine = b"---\r\nid: shelf\r\ntitle: 'a $1 \\title'\r\n---\r\n## Outcome\r\n\xc3\xa9 \r\n\r\n<!--" + block
    world.plan(day=1)
    world.repository.commit_elsewhere({"goals/shelf.md": mine})
    world.repository.move_before_next_push({"goals/shelf.md": mine + b"one more line", "notes": b"new"})
    world.handle(world.ended(day=1))
    after = world.tree()["goals/shelf.md"]
    begin, end = b"<!-- goalrunner:state begin", b"state end -->"
    assert after.partition(begin)[0] == mine.partition(begin)[0]
    assert after.partition(end)[2] == (mine + b"one more line").partition(end)[2]
    assert world.state().attempts == 2


def test_the_same_ending_again_counts_and_says_nothing(world: Any) -> None:
    world.plan()
    world.handle(world.ended(cost_usd=1))
    tip = world.repository.tip
    world.handle(world.ended(cost_usd=1))
    assert (world.repository.tip, len(world.publisher.published)) == (tip, 1)


def test_a_report_whose_row_is_lost_is_found_by_its_commit(world: Any) -> None:
    world.plan()
    world.handle(world.ended(cost_usd=1))
    world.repository.commit_elsewhere({"goals/shelf.md": None})
    world.rows.items.clear()
    world.handle(world.ended(cost_usd=1))
    assert len(world.publisher.published) == 2
    assert all(len(contents) == 1 for contents in world.contents().values())


def test_an_older_attempt_reported_after_a_newer_one_counts_but_does_not_overwrite(world: Any) -> None:
    for day in (0, 1):
        world.plan(day=day)
    world.handle(world.ended(day=1, cost_usd=0.2, files={"list.md": b"new"}))
    world.handle(world.ended(day=0, cost_usd=0.1, outcome="failed", files={"list.md": b"old", "extra.md": b"x"}))
    state = world.state()
    assert state.last_attempt == world.ended(day=1).attempt
    assert (state.outcome, state.attempts, state.spent_usd, state.failures_in_row) == ("done", 2, Decimal("0.3"), 0)
    assert world.tree()["artifacts/shelf/list.md"] == b"new"
    assert world.tree()["artifacts/shelf/extra.md"] == b"x"


def test_a_batch_is_one_push_and_each_report_sees_the_one_before(worlds: Any) -> None:
    world = worlds("shelf", "attic")
    for goal, day in (("shelf", 0), ("shelf", 1), ("attic", 0)):
        world.plan(goal, day)
    before = len(world.repository.history())
    world.repository.move_before_next_push({"notes": b"new"})
    first = world.ended(day=0, cost_usd=0.1, outcome="failed")
    world.handle(first, first, world.ended(day=1, cost_usd=0.2, outcome="failed"), world.ended("attic"))
    assert len(world.repository.history()) == before + 1 + 3
    assert (world.state().attempts, world.state().failures_in_row) == (2, 2)
    assert world.state().spent_usd == Decimal("0.3")
    assert world.state("attic").attempts == 1


@pytest.mark.parametrize(
    "content", [None, b"no front matter any more", b"\xff\n" + BLOCK, BLOCK, BLOCK.replace(b"slot", b"\xff")]
)
def test_a_goal_file_that_is_gone_or_broken_is_left_out(world: Any, content: bytes | None) -> None:
    attempt = world.plan()
    world.repository.commit_elsewhere({"goals/shelf.md": content})
    world.handle(world.ended())
    assert world.tree().get("goals/shelf.md") == content
    assert world.attempt(attempt).status == "done"
    assert world.publisher.of(ResultReportedV1)[0].next_due is None


def test_what_was_reported_while_the_goal_file_was_broken_is_made_up_for(world: Any) -> None:
    good = world.tree()["goals/shelf.md"]
    for day in range(3):
        world.plan(day=day)
    world.handle(world.ended(day=0, cost_usd=1))
    state_of_day_0 = world.tree()["goals/shelf.md"]
    world.repository.commit_elsewhere({"goals/shelf.md": b"broken for a while"})
    world.handle(world.ended(day=1, cost_usd=1, outcome="failed"))
    world.repository.commit_elsewhere({"goals/shelf.md": state_of_day_0})
    world.handle(world.ended(day=2, cost_usd=1, outcome="failed"))
    state = world.state()
    assert (state.attempts, state.spent_usd, state.failures_in_row) == (3, Decimal(3), 2)
    assert world.tree()["goals/shelf.md"].startswith(good)


def test_a_state_block_that_was_deleted_is_counted_anew(world: Any) -> None:
    good = world.tree()["goals/shelf.md"]
    for day in range(2):
        world.plan(day=day)
    world.handle(world.ended(day=0, cost_usd=1))
    world.repository.commit_elsewhere({"goals/shelf.md": good})
    world.handle(world.ended(day=1, cost_usd=1))
    assert (world.state().attempts, world.state().spent_usd) == (2, Decimal(2))


def test_attempt_files_that_were_cleared_away_stay_counted(world: Any) -> None:
    world.plan(day=0)
    world.handle(world.ended(day=0, cost_usd=1))
    world.repository.commit_elsewhere({attempt_path(world.ended(day=0).attempt): None})
    world.plan(day=1)
    world.handle(world.ended(day=1, cost_usd=1))
    assert (world.state().attempts, world.state().spent_usd) == (2, Decimal(2))


def test_a_goal_that_was_moved_is_found(world: Any) -> None:
    world.plan()
    content = world.tree()["goals/shelf.md"]
    world.repository.commit_elsewhere({"goals/shelf.md": None, "goals/home/shelf.md": content})
    world.handle(world.ended())
    assert world.state(path="goals/home/shelf.md").attempts == 1
    assert world.publisher.of(ResultReportedV1)[0].next_due is not None


def test_a_goal_that_is_there_twice_is_left_alone(world: Any) -> None:
    world.plan()
    content = world.tree()["goals/shelf.md"]
    copies = {"goals/a/shelf.md": content, "goals/b/shelf.md": content}
    world.repository.commit_elsewhere({"goals/shelf.md": None, **copies})
    world.handle(world.ended())
    assert {path: world.tree()[path] for path in copies} == copies


@pytest.mark.parametrize("content", [None, b"written over by hand\n"])
def test_an_attempt_file_that_is_gone_or_broken_is_written_anew(world: Any, content: bytes | None) -> None:
    attempt = world.plan()
    world.repository.commit_elsewhere({attempt_path(attempt): content})
    world.handle(world.ended())
    assert (world.attempt(attempt).status, world.attempt(attempt).slot) == ("done", world.ended().slot)


def test_an_attempt_without_steps_is_reported_with_its_reason(world: Any) -> None:
    attempt = world.plan()
    reason = "goals/shelf.md does not exist"
    ended = world.ended(outcome="failed").model_copy(update={"steps": (), "reason": reason})
    world.handle(ended)
    assert world.attempt(attempt).reason == world.publisher.of(ResultReportedV1)[0].reason == reason


def test_a_refused_push_leaves_the_event_in_the_queue(world: Any) -> None:
    world.plan()
    world.repository.refuse_pushes("the work tree is dirty")
    with pytest.raises(PushRefused):
        world.handle(world.ended())
    assert world.publisher.published == []
    world.repository.refuse_pushes(None)
    world.handle(world.ended())
    assert len(world.publisher.published) == 1


def test_an_attempt_of_another_goal_is_malformed(world: Any) -> None:
    with pytest.raises(MalformedMessage, match="is no attempt at shelf"):
        world.handle(world.ended().model_copy(update={"attempt": world.ended("attic").attempt}))


@pytest.mark.parametrize("last", range(1, 6))
def test_of_two_runs_in_one_slot_the_one_planned_later_is_the_last(world: Any, last: int) -> None:
    for run in range(last + 1):
        world.plan(run=run)
    for run in range(last, -1, -1):
        world.handle(world.ended(run=run, outcome="failed" if run == last else "done"))
    assert world.state().last_attempt == world.ended(run=last).attempt
    assert (world.state().outcome, world.state().attempts) == ("failed", last + 1)
    assert world.state().failures_in_row == 1


def test_a_late_failure_of_the_same_slot_joins_the_row_of_failures(world: Any) -> None:
    for day, run in ((0, 0), (1, 0), (1, 1)):
        world.plan(day=day, run=run)
    for day, run in ((0, 0), (1, 1), (1, 0)):
        world.handle(world.ended(day=day, run=run, outcome="failed"))
    assert world.state().failures_in_row == 3


def test_failures_in_a_row_are_counted_by_slot_not_by_report(world: Any) -> None:
    for day in range(4):
        world.plan(day=day)
    for day, failures in ((3, 1), (1, 2), (2, 3), (0, 3)):
        world.handle(world.ended(day=day, outcome="done" if day == 0 else "failed"))
        assert world.state().failures_in_row == world.state().no_progress_in_row == failures


@pytest.mark.parametrize(
    ("result", "runs"),
    [
        ({}, 1),
        ({"files": {"list.md": b"x"}}, 0),
        ({"evidence": [{"criterion": "AC1", "met": True}]}, 0),
        ({"evidence": [{"criterion": "AC1", "met": False}]}, 1),
    ],
)
def test_a_run_without_file_or_criterion_met_is_one_without_progress(world: Any, result: Any, runs: int) -> None:
    world.plan()
    world.handle(world.ended(outcome="progressed", **result))
    assert (world.state().no_progress_in_row, world.state().failures_in_row) == (runs, 0)


def test_costs_are_kept_to_the_millionth_of_a_dollar(world: Any) -> None:
    attempt = world.plan()
    world.handle(world.ended(cost_usd=0.1 + 0.2))
    assert world.attempt(attempt).cost_usd == world.state().spent_usd == Decimal("0.3")
