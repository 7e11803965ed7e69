"""A scan says who is due, once, and how all the others stand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goalrunner_events import ScanCompletedV1, Standing, Trigger
from goalrunner_shared.goals.ids import attempt_id

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)
NEXT = SLOT + timedelta(hours=2)
DAY = timedelta(days=1)


def test_a_goal_that_never_ran_is_due_with_everything_the_planner_needs(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf")})
    standings = world.scan()
    (due,) = world.dues()
    assert due.attempt == attempt_id("shelf", SLOT, "schedule")
    assert (due.goal, due.path, due.commit) == ("shelf", "goals/shelf.md", world.repository.tip)
    assert (due.slot, due.trigger, due.request_id) == (SLOT, Trigger.SCHEDULE, None)
    standing = standings["goals/shelf.md"]
    assert (standing.standing, standing.attempt) == (Standing.DUE, due.attempt)
    assert standing.title == "Keep shelf in order"


def test_the_scan_names_its_request_its_slot_and_its_commit(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf")})
    world.scan(SLOT + timedelta(minutes=37))
    (completed,) = world.publisher.of(ScanCompletedV1)
    assert (completed.slot, completed.commit) == (SLOT, world.repository.tip)
    assert completed.request in {meta.causation_id for meta, _ in world.publisher.published}


def test_the_same_slot_twice_makes_nothing_new(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf")})
    first = world.scan()
    assert world.scan() == first
    world.handle(world.report(world.dues()[0]))
    assert world.scan()["goals/shelf.md"].standing is Standing.SKIPPED
    assert len(world.contents()) == 1


def test_an_open_goal_is_never_due_until_its_own_result_is_reported(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf", "schedule: {every: 2h}")})
    world.scan()
    due = world.dues()[0]
    stranger = due.model_copy(update={"attempt": attempt_id("shelf", SLOT, "manual", "x")})
    world.handle(world.report(due).model_copy(update={"attempt": stranger.attempt}))
    standing = world.scan(NEXT)["goals/shelf.md"]
    assert (standing.standing, standing.attempt) == (Standing.OPEN, due.attempt)
    world.handle(world.report(due))
    assert world.scan(NEXT)["goals/shelf.md"].standing is Standing.DUE
    assert len(world.dues()) == 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("status: paused", "status is paused"),
        ("schedule: manual", "runs only when asked to"),
        ('schedule: {cron: "0 9 * * 1"}', "cron schedules are not supported yet"),
        ("deadline: 2025-12-31", "deadline 2025-12-31 has passed"),
        ("schedule: {at: 2026-01-02T10:00Z}", "not due until 2026-01-02 10:00 UTC"),
    ],
)
def test_a_goal_that_is_not_due_says_why(worlds: Any, goal: Any, line: str, reason: str) -> None:
    world = worlds({"shelf": goal("shelf", line)})
    standing = world.scan()["goals/shelf.md"]
    assert (standing.standing, standing.reason) == (Standing.SKIPPED, reason)
    assert not world.dues()


@pytest.mark.parametrize(
    ("engine", "reason"),
    [
        ("claude-api", "needs a model: set ANTHROPIC_API_KEY"),
        ("codex", "the engine codex is not available here"),
    ],
)
def test_an_engine_that_is_not_available_is_a_reason(worlds: Any, engine: str, reason: str) -> None:
    content = f"---\nid: shelf\ntitle: T\nschedule: {{every: 2h}}\nagent: {{engine: {engine}}}\n---\n".encode()
    world = worlds({"shelf": content})
    assert world.scan()["goals/shelf.md"].reason == reason
    world = worlds({"shelf": content}, engines=(engine,))
    assert world.scan()["goals/shelf.md"].standing is Standing.DUE


def test_a_manual_request_runs_one_goal_whatever_its_schedule_says(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf", "schedule: manual"), "attic": goal("attic")})
    first = world.run("shelf", "r1")
    assert world.run("shelf", "r1") == first
    (due,) = world.dues()
    assert (due.trigger, due.request_id) == (Trigger.MANUAL, "r1")
    assert [standing.goal for standing in first.values()] == ["shelf"]
    world.handle(world.report(due))
    assert world.run("shelf", "r1")["goals/shelf.md"].reason == f"was done already: {due.attempt}"
    world.run("shelf", "r2")
    assert [each.request_id for each in world.dues()] == ["r1", "r2"]


def test_a_manual_request_without_a_slot_is_for_the_slot_it_was_made_in(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf")})
    world.run("shelf", slot=None)
    assert world.dues()[0].slot == SLOT


def test_an_old_manual_request_that_comes_again_after_newer_attempts_makes_nothing(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf")})
    world.run("shelf", "r1")
    world.handle(world.report(world.dues()[0]))
    world.scan(SLOT + DAY)
    world.handle(world.report(world.dues()[1]))
    world.run("shelf", "r1")
    assert len(world.dues()) == 2
    assert world.scan(SLOT + 2 * DAY)["goals/shelf.md"].standing is Standing.DUE


@pytest.mark.parametrize(
    ("line", "reason"), [("status: paused", "status is paused"), ("depends_on: [attic]", "waits for attic")]
)
def test_a_manual_request_asks_for_status_and_dependencies(worlds: Any, goal: Any, line: str, reason: str) -> None:
    world = worlds({"shelf": goal("shelf", line), "attic": goal("attic", "schedule: manual")})
    assert world.run("shelf")["goals/shelf.md"].reason == reason
    assert not world.dues()


def test_a_manual_request_does_not_start_a_second_attempt_beside_an_open_one(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf")})
    world.scan()
    standing = world.run("shelf")["goals/shelf.md"]
    assert (standing.standing, standing.attempt) == (Standing.OPEN, world.dues()[0].attempt)
    assert len(world.dues()) == 1


def test_a_request_for_a_goal_that_does_not_exist_says_so(worlds: Any) -> None:
    (standing,) = worlds().run("nothing").values()
    assert (standing.goal, standing.reason) == ("nothing", "no file below goals/ is called nothing.md")


def test_a_request_for_an_invalid_goal_says_where_it_is_wrong(worlds: Any) -> None:
    (standing,) = worlds({"shelf": b"---\nid: shelf\n---\n"}).run("shelf").values()
    assert standing.standing is Standing.REJECTED
    assert standing.reason.startswith("goals/shelf.md:")


def test_urgent_goals_are_said_first(worlds: Any, goal: Any) -> None:
    world = worlds({"a": goal("a", "priority: 4"), "b": goal("b", "priority: 1"), "c": goal("c", "priority: 4")})
    world.scan()
    assert [due.goal for due in world.dues()] == ["b", "a", "c"]


def test_other_files_below_goals_are_no_goals(worlds: Any, goal: Any) -> None:
    files = {"goals/README.md": b"# Goals\n", "goals/deep/er/shelf.md": goal("shelf"), "goals/picture.png": b"\x89"}
    world = worlds({**files, "notes/b.md": b"x"})
    assert list(world.scan()) == ["goals/deep/er/shelf.md"]
    assert world.dues()[0].path == "goals/deep/er/shelf.md"


def test_nothing_begins_while_the_defaults_are_invalid(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf"), "broken": b""})
    world.repository.commit_elsewhere({"goalrunner.yaml": b"budgett: {}\n"})
    standings = world.scan()
    assert "goalrunner.yaml:1" in standings["goals/shelf.md"].reason
    assert standings["goals/shelf.md"].standing is Standing.SKIPPED
    assert [event.path for event in world.rejections()] == ["goalrunner.yaml"]
    world.repository.commit_elsewhere({"goalrunner.yaml": b"budget: {per_run_usd: 1}\n"})
    assert world.scan()["goals/shelf.md"].standing is Standing.DUE
    assert [event.path for event in world.rejections()] == ["goalrunner.yaml", "goals/broken.md"]


def test_a_goal_that_ran_in_the_slot_is_not_due_in_it_again_when_its_state_block_is_deleted(
    worlds: Any, goal: Any
) -> None:
    world = worlds({"shelf": goal("shelf")})
    world.run("shelf")
    due = world.dues()[0]
    world.handle(world.report(due))
    world.repository.commit_elsewhere({"goals/shelf.md": goal("shelf")})
    assert world.scan()["goals/shelf.md"].reason == f"ran in this slot or after it: {due.attempt}"
    assert world.scan(NEXT)["goals/shelf.md"].standing is Standing.DUE


def test_a_commit_that_the_scan_had_not_seen_yet_keeps_a_reported_goal_from_running_again(
    worlds: Any, goal: Any
) -> None:
    """The row says that the attempt was reported; the commit fetched before shows nothing of it."""
    world = worlds({"shelf": goal("shelf")})
    world.scan()
    due = world.dues()[0]
    fetch = world.repository.fetch
    reported: list[Any] = []

    def late() -> str:
        tip: str = fetch()
        if not reported:
            reported.append(world.report(due))
            world.repository.fetch = fetch
            world.handle(*reported)
        return tip

    world.repository.fetch = late
    assert world.scan(NEXT)["goals/shelf.md"].standing is Standing.SKIPPED
    assert len(world.dues()) == 1
