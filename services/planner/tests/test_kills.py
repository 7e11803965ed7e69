"""Killed between any two side effects and started again: as if nothing had happened."""

from typing import Any

import pytest


def _outcome(world: Any) -> tuple[dict[str, bytes], set[str]]:
    assert all(len(contents) == 1 for contents in world.contents().values())
    return world.tree(), {content for contents in world.contents().values() for content in contents}


def _play(worlds: Any, goals: list[str], fuse: Any) -> Any:
    """All of a batch's life; what was killed is delivered again."""
    world = worlds(*goals)
    dues = [world.due(goal) for goal in goals]
    for batch in (dues, [world.finished(goal) for goal in goals]):
        world.survive(*batch, fuse=fuse)
    return world


@pytest.mark.parametrize("goals", [["shelf"], ["shelf", "attic", "cellar"]])
def test_a_kill_after_any_side_effect_changes_nothing(worlds: Any, deaths: Any, goals: list[str]) -> None:
    expected: list[Any] = []

    def act(fuse: Any) -> None:
        expected.append(_outcome(_play(worlds, goals, fuse)))

    killed = list(deaths(act))
    assert all(outcome == expected[-1] for outcome in expected)
    # push, row, two events, row; blob, row, event, row: for each attempt but the push
    assert len(killed) == 1 + 8 * len(goals)


def test_a_goal_that_cannot_be_planned_fails_once_whenever_it_is_killed(worlds: Any, deaths: Any) -> None:
    def act(fuse: Any) -> None:
        world = worlds("shelf")
        world.repository.commit_elsewhere({"goals/shelf.md": b"broken"})
        due = world.due()
        world.survive(due, fuse=fuse)
        assert len(world.contents()) == 1
        assert len(_outcome(world)[1]) == 1

    assert len(list(deaths(act))) == 4
