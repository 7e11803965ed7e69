"""Killed before any side effect of any function, or with everything lost but git: every attempt ends once, the same."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.loop.world import (
    OUTCOMES,
    Delivery,
    End,
    Fuse,
    World,
    end_of,
    in_batches,
    in_turn,
    topology,
)

QUEUES = sorted(topology()["functions"])
EFFECTS = {
    "publish",
    "table write",
    "blob write",
    "commit",
    "push",
    "send",
    "edit",
    "start wait",
    "settle wait",
    "beat",
    "set alarm",
    "acknowledge",
}
SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]

Choose = Callable[[Sequence[Delivery]], Sequence[Delivery]]


def failed_first(bag: Sequence[Delivery]) -> Sequence[Delivery]:
    """What was not handled comes again before anything else; `in_batches` has it come after all that waits."""
    return [each for each in bag if each.receives][:1] or in_turn(bag)


def lived(folder: Path, *deadly: int, answers: bool = True, choose: Choose = in_batches) -> World:
    """A world in which the processes that come to these side effects are killed before them."""
    world = World(folder, answers=answers, fuse=Fuse(frozenset(deadly)))
    world.scan()
    world.run(choose)
    world.ring()
    world.run(choose)
    return world


@cache
def reference(answers: bool, choose: Choose) -> tuple[End, Sequence[tuple[str, str]]]:
    """The end without a kill, and the side effects on the way there: of which function, and which."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        world = lived(Path(folder), answers=answers, choose=choose)
    return end_of(world), tuple(world.fuse.log)


def same_end(world: World, wanted: End, *, kills: int) -> None:
    """The end wanted, but for what nobody can take back: a kill between a sending and its mark sends again."""
    end = end_of(world)
    assert sum((end.notices[key] - 1 for key in end.notices)) <= kills
    assert replace(end, notices=wanted.notices) == wanted
    assert end.notices.keys() == wanted.notices.keys()


def kill_everywhere(folder: Path, queue: str, *, answers: bool, choose: Choose) -> None:
    """Once before each side effect of one function."""
    wanted, effects = reference(answers, choose)
    for number, (owner, effect) in enumerate(effects):
        if owner == queue:
            world = lived(folder, number, answers=answers, choose=choose)
            assert world.fuse.log[number] == (queue, effect)
            try:
                same_end(world, wanted, kills=1)
            except AssertionError as error:
                raise AssertionError(f"killed before effect {number}, {effect}, of {queue}: {error}") from error


def test_every_kind_of_side_effect_is_there_to_be_killed_before() -> None:
    _, effects = reference(True, in_batches)
    assert {effect for _, effect in effects} == EFFECTS
    assert {queue for queue, _ in effects} == set(QUEUES)


@pytest.mark.parametrize("queue", QUEUES)
def test_a_kill_before_any_side_effect_changes_nothing(tmp_path: Path, queue: str) -> None:
    kill_everywhere(tmp_path, queue, answers=True, choose=in_batches)
