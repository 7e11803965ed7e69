"""Whatever happens in whatever order: one of answered and expired is published, once, with one answer."""

from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from goalrunner_events import QuestionState

MOVES: dict[str, Callable[[Any], None]] = {
    "deliver": lambda world: world.deliver_next() if world.queue else None,
    "redeliver": lambda world: world.deliver(world.delivered[-1]) if world.delivered else None,
    "answer one": lambda world: world.answer("1", update="u1"),
    "answer two": lambda world: world.answer("two rooms", update="u2", by="bob"),
    "ring": lambda world: world.ring(),
    "run out": lambda world: world.wait.run_out(),
    "stop": lambda world: world.wait.stop(),
    "recover": lambda world: world.deliver({"kind": "recover"}),
    "forget": lambda world: world.forget(),
    "slow": lambda world: setattr(world.wait, "is_slow", True),
    "quick": lambda world: setattr(world.wait, "is_slow", False),
    "bus down": lambda world: setattr(world, "bus_is_down", True),
    "bus up": lambda world: setattr(world, "bus_is_down", False),
}
FORGETFUL = ("deliver", "redeliver", "answer one", "answer two", "recover", "forget")

anything = st.lists(
    st.one_of(st.sampled_from(sorted(MOVES.keys() - {"forget"})), st.integers(min_value=0, max_value=12)), max_size=14
)


def play(world: Any, move: str | int) -> None:
    """One move; a number kills at that many moments from now."""
    if isinstance(move, int):
        world.fuse.left = move
    else:
        MOVES[move](world)


def finish(world: Any) -> None:
    """Everything that is still on its way arrives, and the time runs out."""
    world.bus_is_down = False
    world.wait.is_slow = False
    world.wait.tick()
    world.fuse.left = None
    world.drain()
    for move in ("recover", "ring", "run out", "recover"):
        play(world, move)
        world.drain()


def assert_one_end(world: Any) -> None:
    row = world.question()
    assert row.settled
    assert row.published
    assert len({(kind, detail["meta"]["event_id"], str(detail["data"])) for kind, detail in world.bus}) == 1
    kind, detail = world.bus[0]
    assert kind == f"clarification.{row.state}.v1"
    if row.state is QuestionState.ANSWERED:
        assert detail["data"]["answer"] == row.answer.text
        assert detail["data"]["by"] == row.answer.by
        assert row.late_answer is None
    else:
        assert row.answer is None


@settings(max_examples=400, deadline=None)
@given(moves=anything)
def test_exactly_one_end_is_published(make_world: Any, requested: Callable[..., Any], moves: list[str | int]) -> None:
    world = make_world()
    world.hear(requested())
    for move in moves:
        play(world, move)
    finish(world)
    assert_one_end(world)


@settings(max_examples=150, deadline=None)
@given(moves=st.lists(st.sampled_from(FORGETFUL), max_size=14))
def test_an_emulator_that_forgets_delays_the_answer_and_loses_none(
    make_world: Any, requested: Callable[..., Any], moves: list[str]
) -> None:
    world = make_world()
    world.hear(requested())
    for move in moves:
        play(world, move)
    world.deliver({"kind": "recover"})
    finish(world)
    assert_one_end(world)
    answered = any(move.startswith("answer") for move in moves)
    assert (world.question().state is QuestionState.ANSWERED) is answered
