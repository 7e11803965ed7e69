"""What every engine must do, driven through the use case: one class of tests, a fixture `make_engine` for each engine.

`make_engine(acts)` returns an engine whose agent performs the acts, in order.
"""

import itertools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from goalrunner_events import Event, Outcome, QuestionState
from goalrunner_executor.agents.scripted import Act, Ask, Busy, Finish, Note, Shell, Write
from goalrunner_executor.bench import Bench
from goalrunner_executor.domain import MAX_IDLE
from goalrunner_executor.ports import Engine
from goalrunner_shared.errors import TransientError

MakeEngine = Callable[[Sequence[Act]], Engine]


class Killed(BaseException):
    """What SIGKILL is to a process."""


class Fuse:
    """Kills right after the side effect number `effects`; what a dead process would do next does not happen."""

    EFFECTS = frozenset({"put", "put_new", "add", "replace", "publish"})

    def __init__(self, effects: int) -> None:
        self._left = effects

    def round(self, port: Any) -> Any:
        """The port, for a process that has this fuse."""
        return _Mortal(port, self)

    @property
    def blown(self) -> bool:
        return self._left <= 0

    def act(self, effect: Callable[[], Any]) -> Any:
        if self.blown:
            raise Killed
        self._left -= 1
        result = effect()
        if self.blown:
            raise Killed
        return result


class _Mortal:
    def __init__(self, port: Any, fuse: Fuse) -> None:
        self._port, self._fuse = port, fuse

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name not in Fuse.EFFECTS:
            return method
        return lambda *args, **kwargs: self._fuse.act(lambda: method(*args, **kwargs))


def drive(bench: Bench, first: Event, *, answer: str = "the train", fuse: Fuse | None = None) -> None:
    """Deliver events, and again where it failed, until nothing is left; each question is answered once."""
    bench.wrap = fuse.round if fuse else lambda port: port
    inbox: list[tuple[str, Event, int]] = [("first", first, 1)]
    suspended = 0
    answered: set[str] = set()
    for turn in itertools.count():
        if not inbox:
            return
        assert turn < 100, "it never ends"
        message_id, event, receives = inbox.pop(0)
        try:
            bench.deliver(event, message_id=message_id, receives=receives)
        except (Killed, TransientError):
            bench.wrap = lambda port: port
            inbox.append((message_id, event, receives + 1))
        for asked in bench.questions:
            if asked.question not in answered:
                answered.add(asked.question)
                inbox.append((f"answer-{asked.question}", bench.answer(answer), 1))
        for number, suspension in enumerate(bench.suspensions[suspended:], suspended):
            inbox.append((f"suspended-{number}", suspension, 1))
        suspended = len(bench.suspensions)


class Countdown:
    """So many questions after the time are told that there is plenty; then there is none."""

    def __init__(self, plenty: int) -> None:
        self._plenty = plenty
        self.out = False

    def __call__(self) -> float:
        self._plenty -= 1
        self.out = self.out or self._plenty < 0
        return 30.0 if self.out else 900.0


class EngineConformance:
    """Inherit from it beside a fixture `make_engine`."""

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Callable[[Engine], Bench]:
        folders = itertools.count()
        return lambda engine: Bench(tmp_path / str(next(folders)), {"claude-api": engine})

    def test_it_finishes_and_leaves_its_artefacts(self, make_engine: MakeEngine, bench: Any) -> None:
        world = bench(make_engine([Write("list.md", "three books\n"), Finish("chosen")]))
        world.deliver(world.ready())
        assert (world.result.outcome, world.result.summary) == (Outcome.DONE, "chosen")
        assert world.artifacts() == {"list.md": b"three books\n"}
        assert world.result.cost_usd > 0
        assert world.result.tokens_in > 0
        assert world.result.model

    def test_it_asks_and_goes_on_with_the_answer(self, make_engine: MakeEngine, bench: Any) -> None:
        acts: list[Act] = [Write("a.md", "a"), Ask("train or car?", options=("train", "car")), Note("way.md"), Finish()]
        world = bench(make_engine(acts))
        world.deliver(world.ready())
        assert [asked.text for asked in world.questions] == ["train or car?"]
        assert world.results == []
        world.deliver(world.answer("car"))
        assert world.artifacts() == {"a.md": b"a", "way.md": b"car"}
        (record,) = world.result.questions
        assert (record.state, record.answer, record.by) == (QuestionState.ANSWERED, "car", "ana")

    def test_it_may_ask_twice(self, make_engine: MakeEngine, bench: Any) -> None:
        world = bench(make_engine([Ask("one?"), Note("1"), Ask("two?"), Note("2"), Finish()]))
        world.deliver(world.ready())
        world.deliver(world.answer("first"))
        world.deliver(world.answer("second"))
        assert world.artifacts() == {"1": b"first", "2": b"second"}
        assert [record.text for record in world.result.questions] == ["one?", "two?"]

    def test_near_the_deadline_it_is_suspended_and_goes_on(self, make_engine: MakeEngine, bench: Any) -> None:
        suspended = 0
        for plenty in range(1, 30):
            world = bench(make_engine([Write("a", "a"), Write("b", "b"), Finish()]))
            world.remaining = countdown = Countdown(plenty)
            world.deliver(world.ready())
            world.remaining = lambda: 900.0
            for event in world.suspensions:
                suspended += 1
                world.deliver(event)
            assert world.artifacts() == {"a": b"a", "b": b"b"}
            if not countdown.out:
                break
        assert suspended >= 2

    def test_it_stops_within_its_budget(self, make_engine: MakeEngine, bench: Any) -> None:
        world = bench(make_engine([Write("a", "a"), Finish()]))
        world.deliver(world.ready(budget_usd=0.001))
        assert world.result.outcome is Outcome.FAILED
        assert (world.result.reason or "").startswith("stopped by budget: $0.00 per run")
        assert world.result.cost_usd <= 0.001

    def test_a_tool_that_fails_does_not_end_it(self, make_engine: MakeEngine, bench: Any) -> None:
        world = bench(make_engine([Shell("exit 3"), Finish()]))
        world.deliver(world.ready())
        assert world.result.outcome is Outcome.DONE

    def test_a_program_that_hangs_is_killed(self, make_engine: MakeEngine, bench: Any) -> None:
        world = bench(make_engine([Shell('echo $$ > "$GOALRUNNER_OUT/pid"; sleep 600', timeout=1), Finish()]))
        world.deliver(world.ready())
        assert world.result.outcome is Outcome.DONE
        with pytest.raises(ProcessLookupError):
            os.kill(int(world.artifacts()["pid"]), 0)

    def test_an_overloaded_model_is_tried_again(self, make_engine: MakeEngine, bench: Any) -> None:
        world = bench(make_engine([Busy(2), Write("a", "a"), Finish()]))
        for receives in (1, 2):
            with pytest.raises(TransientError):
                world.deliver(world.ready(), message_id="m", receives=receives)
        world.deliver(world.ready(), message_id="m", receives=3)
        assert world.result.outcome is Outcome.DONE

    def test_a_model_that_stays_overloaded_fails_the_step(self, make_engine: MakeEngine, bench: Any) -> None:
        world = bench(make_engine([Busy(99), Finish()]))
        drive(world, world.ready())
        assert world.result.outcome is Outcome.FAILED
        assert "overloaded" in (world.result.reason or "")
        assert f"tried {MAX_IDLE} times" in (world.result.reason or "")

    def test_killed_after_any_side_effect_it_ends_once_and_alike(self, make_engine: MakeEngine, bench: Any) -> None:
        acts: list[Act] = [Write("a", "a"), Ask("train or car?"), Note("way"), Finish("chosen")]
        for effects in itertools.count(1):
            world, fuse = bench(make_engine(acts)), Fuse(effects)
            drive(world, world.ready(), fuse=fuse)
            assert len({result.model_dump_json() for result in world.results}) == 1
            assert len({asked.model_dump_json() for asked in world.questions}) == 1
            assert world.artifacts() == {"a": b"a", "way": b"the train"}
            assert world.result.outcome is Outcome.DONE
            assert world.row.published
            if not fuse.blown:
                assert effects > 10
                return
