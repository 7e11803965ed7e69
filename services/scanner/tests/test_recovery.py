"""Tables that were lost are made again from the attempt files without a result."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goalrunner_events import Standing

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)
NEXT = SLOT + timedelta(hours=2)


def _lose_tables(world: Any) -> Any:
    world.rows.items.clear()
    world.publisher.published.clear()
    return world


def _read_by(world: Any) -> list[str]:
    """The blobs that are read from now on."""
    read, seen = world.repository.read, []

    def counting(blobs: Any, *, limit: int) -> Any:
        wanted = list(blobs)
        seen.extend(wanted)
        return read(wanted, limit=limit)

    world.repository.read = counting
    return seen


def _planned(worlds: Any, goal: Any, act: Callable[[Any], object]) -> tuple[Any, Any]:
    world = worlds({"shelf": goal("shelf")})
    act(world)
    due = world.dues()[0]
    world.plan(due)
    return _lose_tables(world), due


@pytest.mark.parametrize("slot", [SLOT, NEXT, SLOT + timedelta(days=9)])
def test_a_planned_attempt_that_no_row_knows_is_due_again_exactly_as_before(
    worlds: Any, goal: Any, slot: datetime
) -> None:
    world, due = _planned(worlds, goal, lambda world: world.scan())
    standing = world.scan(slot)["goals/shelf.md"]
    assert world.dues() == [due]
    assert (standing.standing, standing.attempt) == (Standing.OPEN, due.attempt) or slot == SLOT
    world.scan(slot)
    assert len(world.publisher.of(type(due))) == 1
    world.handle(world.report(due))
    assert world.scan(slot + timedelta(days=2))["goals/shelf.md"].standing is Standing.DUE


def test_a_manual_attempt_is_taken_up_too(worlds: Any, goal: Any) -> None:
    world, due = _planned(worlds, goal, lambda world: world.run("shelf", "r1"))
    world.scan(NEXT)
    assert [each.attempt for each in world.dues()] == [due.attempt]


def test_a_goal_that_is_gone_is_found_where_it_was(worlds: Any, goal: Any) -> None:
    world = worlds({"goals/deep/shelf.md": goal("shelf")})
    world.scan()
    due = world.dues()[0]
    world.plan(due)
    world.repository.commit_elsewhere({"goals/deep/shelf.md": None})
    _lose_tables(world).scan(NEXT)
    assert world.dues() == [due]


def test_a_goal_that_is_invalid_by_now_is_taken_up_where_it_was_valid(worlds: Any, goal: Any) -> None:
    world, due = _planned(worlds, goal, lambda world: world.scan())
    world.repository.commit_elsewhere({"goals/shelf.md": b""})
    world.scan(NEXT)
    assert world.dues() == [due]


def test_finished_attempts_are_left_alone_and_read_once(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf")})
    world.scan()
    due = world.dues()[0]
    world.plan(due, status="done")
    _lose_tables(world)
    seen = _read_by(world)
    world.scan(NEXT)
    world.scan(NEXT)
    assert due.attempt not in {each.attempt for each in world.dues()}
    assert len(seen) == 1


def test_of_a_goal_that_is_gone_only_the_newest_attempt_is_read(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf", "schedule: {every: 2h}")})
    for number in range(3):
        world.scan(SLOT + number * (NEXT - SLOT))
        world.handle(world.report(world.dues()[-1]))
    assert len(world.dues()) == 3
    world.repository.commit_elsewhere({"goals/shelf.md": None})
    seen = _read_by(_lose_tables(world))
    world.scan(SLOT + timedelta(days=2))
    assert len(seen) == 1
    assert not world.dues()


def test_an_attempt_file_that_nobody_can_read_stops_nobody(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf")})
    world.repository.commit_elsewhere({"attempts/shelf/2026-01-01T0800Z.abcdef.md": b"\xff"})
    assert world.scan()["goals/shelf.md"].standing is Standing.DUE


def test_a_goal_that_waits_for_a_lost_attempt_keeps_waiting(worlds: Any, goal: Any) -> None:
    world = worlds({"a": goal("a"), "b": goal("b", "depends_on: [a]")})
    world.scan()
    world.handle(world.report(world.dues()[0]))
    world.run("a", "again")
    world.plan(world.dues()[-1])
    _lose_tables(world)
    assert world.run("b")["goals/b.md"].reason == "waits for a, which is being worked on"
