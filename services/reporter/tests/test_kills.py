"""Killed between any two side effects and started again: as if nothing had happened."""

from typing import Any

import pytest


@pytest.mark.parametrize("goals", [["shelf"], ["shelf", "attic", "cellar"]])
def test_a_kill_after_any_side_effect_changes_nothing(worlds: Any, deaths: Any, goals: list[str]) -> None:
    outcomes: list[Any] = []

    def act(fuse: Any) -> None:
        world = worlds(*goals)
        for goal in goals:
            world.plan(goal)
        world.survive(*(world.ended(goal, files={"a.md": b"a"}, cost_usd=0.1) for goal in goals), fuse=fuse)
        outcomes.append((world.tree(), world.contents()))

    killed = list(deaths(act))
    # one push; then row, event, row for each attempt
    assert len(killed) == 1 + 3 * len(goals)
    assert all(outcome == outcomes[-1] for outcome in outcomes)
