"""Goals that wait for others."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goalrunner_events import MAX_HOPS, GoalDueV1, Standing, Trigger
from goalrunner_shared.goals.ids import attempt_id

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)
NEXT = SLOT + timedelta(hours=2)


@pytest.fixture
def chain(worlds: Any, goal: Any) -> Any:
    """a, b that waits for a, c that waits for both."""
    return worlds({"a": goal("a"), "b": goal("b", "depends_on: [a]"), "c": goal("c", "depends_on: [a, b]")})


def test_a_goal_waits_until_those_it_depends_on_are_done(chain: Any) -> None:
    standings = chain.scan()
    assert standings["goals/b.md"].reason == "waits for a, which is being worked on"
    assert [due.goal for due in chain.dues()] == ["a"]
    first = chain.report(chain.dues()[0])
    chain.handle(first)
    assert [due.goal for due in chain.dues()] == ["a", "b"]
    chain.handle(chain.report(chain.dues()[1]))
    due = chain.dues()[2]
    assert (due.goal, due.trigger, due.slot) == ("c", Trigger.DEPENDENCY, SLOT)
    assert due.attempt == attempt_id("c", SLOT, "dependency")
    chain.handle(first)
    assert len(chain.dues()) == 3


def test_an_attempt_caused_by_an_attempt_is_one_hop_further(chain: Any) -> None:
    chain.scan()
    chain.handle(chain.report(chain.dues()[0]), hops=3)
    (meta,) = [meta for meta, event in chain.publisher.published if isinstance(event, GoalDueV1) and event.goal == "b"]
    assert meta.hops == 4


def test_a_chain_that_is_too_long_ends_and_the_next_slot_goes_on(chain: Any) -> None:
    chain.scan()
    chain.handle(chain.report(chain.dues()[0]), hops=MAX_HOPS)
    assert len(chain.dues()) == 1
    assert chain.scan(NEXT)["goals/b.md"].standing is Standing.DUE


@pytest.mark.parametrize("outcome", ["failed", "progressed"])
def test_only_done_is_done(chain: Any, outcome: str) -> None:
    chain.scan()
    chain.handle(chain.report(chain.dues()[0], outcome))
    assert len(chain.dues()) == 1
    assert chain.scan(NEXT)["goals/b.md"].reason == f"waits for a, whose last attempt is {outcome}"


def test_a_goal_with_another_attempt_open_is_not_done(worlds: Any, goal: Any) -> None:
    world = worlds({"a": goal("a"), "b": goal("b", "depends_on: [a]", "schedule: manual")})
    world.scan()
    world.handle(world.report(world.dues()[0]))
    world.run("a", "again")
    assert world.run("b", "r")["goals/b.md"].reason == "waits for a, which is being worked on"


def test_the_schedule_of_the_goal_that_waits_still_counts(worlds: Any, goal: Any) -> None:
    world = worlds({"a": goal("a"), "b": goal("b", "depends_on: [a]", "schedule: manual")})
    world.scan()
    world.handle(world.report(world.dues()[0]))
    assert [due.goal for due in world.dues()] == ["a"]


def test_a_batch_of_results_makes_a_dependent_due_once(worlds: Any, goal: Any) -> None:
    world = worlds({"a": goal("a"), "b": goal("b"), "c": goal("c", "depends_on: [a, b]")})
    world.scan()
    world.handle(*[world.report(due) for due in world.dues()])
    assert [due.goal for due in world.dues()] == ["a", "b", "c"]


def test_a_goal_waits_for_one_whose_file_is_invalid_and_is_not_rejected_itself(worlds: Any, goal: Any) -> None:
    world = worlds({"a": b"---\nid: a\n---\n", "b": goal("b", "depends_on: [a]")})
    standing = world.scan()["goals/b.md"]
    assert (standing.standing, standing.reason) == (Standing.SKIPPED, "waits for a, whose file is invalid")


def test_a_result_of_an_unknown_attempt_is_acknowledged(chain: Any) -> None:
    chain.scan()
    due = chain.dues()[0]
    chain.rows.items.clear()
    chain.handle(chain.report(due))
    assert [each.goal for each in chain.dues()] == ["a", "b"]
