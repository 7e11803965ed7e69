"""Killed between any two side effects and started again: as if nothing had happened."""

from datetime import UTC, datetime, timedelta
from typing import Any

from goalrunner_events import ScanCompletedV1, ScanRequestedV1

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)


def _live(world: Any, fuse: Any) -> Any:
    """Two slots with a dependency, a manual run and a rejection in them."""
    world.survive(ScanRequestedV1(slot=SLOT), fuse=fuse)
    for due in world.dues():
        world.survive(world.report(due), fuse=fuse)
    for due in world.dues()[2:]:
        world.survive(world.report(due), fuse=fuse)
    world.survive(ScanRequestedV1(slot=SLOT, goal="a", trigger="manual", request_id="r"), fuse=fuse)
    world.survive(ScanRequestedV1(slot=SLOT + timedelta(days=1)), fuse=fuse)
    return world


def test_a_kill_after_any_side_effect_changes_nothing(worlds: Any, goal: Any, deaths: Any) -> None:
    goals = {"a": goal("a"), "b": goal("b"), "c": goal("c", "depends_on: [a, b]"), "broken": b""}
    ends: list[Any] = []

    def act(fuse: Any) -> None:
        world = _live(worlds(goals), fuse)
        assert all(len(contents) == 1 for contents in world.contents().values())
        rows = {key: text for key, (_, text) in world.rows.items.items()}
        ends.append((world.contents(), rows, len({each.request for each in world.publisher.of(ScanCompletedV1)})))

    killed = list(deaths(act))
    assert len(killed) > 25
    assert all(end == ends[-1] for end in ends)
    assert len(ends[-1][0]) == 1 + 3 + 1 + 1


def test_a_recovery_that_is_killed_is_made_again(worlds: Any, goal: Any, deaths: Any) -> None:
    def act(fuse: Any) -> None:
        world = worlds({"shelf": goal("shelf")})
        world.scan()
        due = world.dues()[0]
        world.plan(due)
        world.rows.items.clear()
        world.publisher.published.clear()
        world.survive(ScanRequestedV1(slot=SLOT + timedelta(hours=2)), fuse=fuse)
        assert world.dues() == [due]

    assert len(list(deaths(act))) == 4
