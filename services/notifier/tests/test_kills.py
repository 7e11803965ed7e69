"""Killed before or after any side effect, and run again: the end is the same."""

from collections.abc import Callable
from typing import Any

import pytest

from goalrunner_events import GoalRejectedV1


def _ask(world: Any, request: Any) -> None:
    world.hear(request)
    world.drain()


def _answered(world: Any, request: Any) -> None:
    _ask(world, request)
    world.answer("2")
    world.drain()


def _answered_early(world: Any, request: Any) -> None:
    world.hear(request)
    world.answer("2")
    world.drain()


def _expired_then_late(world: Any, request: Any) -> None:
    _ask(world, request)
    world.ring()
    world.answer("2")
    world.drain()


def _answered_after_a_loss(world: Any, request: Any) -> None:
    _ask(world, request)
    world.wait.stop()
    world.answer("2")
    world.drain()


def _recovered(world: Any, request: Any) -> None:
    _ask(world, request)
    world.wait.stop()
    world.deliver({"kind": "recover"})
    world.drain()
    world.answer("2")
    world.drain()


def _handed_back(world: Any, request: Any) -> None:
    _ask(world, request)
    world.bus_is_down = True
    world.answer("2")
    world.bus_is_down = False
    world.drain()


def _told(world: Any, request: Any) -> None:
    world.hear(GoalRejectedV1(path="goals/a.md", blob="b1", line=3, problem="no title", hint="add one"))


STORIES = (
    _answered,
    _answered_early,
    _expired_then_late,
    _answered_after_a_loss,
    _recovered,
    _handed_back,
    _told,
)


@pytest.mark.parametrize("story", STORIES)
def test_a_kill_at_any_moment_changes_nothing(
    story: Callable[[Any, Any], None], make_world: Any, requested: Callable[..., Any]
) -> None:
    whole = make_world()
    story(whole, requested())
    moments = 0
    while True:
        world = make_world()
        world.fuse.left = moments
        story(world, requested())
        if world.fuse.left is not None:
            break
        moments += 1
        assert world.outcome() == whole.outcome(), f"killed at moment {moments}"
    assert moments >= 4
