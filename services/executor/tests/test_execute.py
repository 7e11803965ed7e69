"""The use case on the fake engine: repeats, twins, questions, hand-overs."""

from collections.abc import Callable

import pytest

from goalrunner_events import ClarificationAnsweredV1, Outcome, QuestionState, StepSuspendedV1
from goalrunner_executor.agents.scripted import Act, Ask, Finish, Note, ScriptedEngine, Write
from goalrunner_executor.bench import ATTEMPT, Bench, ask_policy
from goalrunner_executor.conformance import Fuse, Killed
from goalrunner_executor.domain import MAX_IDLE, MAX_INVOCATIONS, MAX_QUESTIONS
from goalrunner_executor.exits import DeadlineNear, Finished
from goalrunner_executor.lease import LostLease
from goalrunner_executor.ports import Run
from goalrunner_executor.rows import StepState, row_key
from goalrunner_shared.errors import PermanentError, TransientError
from goalrunner_shared.goals.ids import question_id

Make = Callable[..., Bench]
TRIP: list[Act] = [Ask("train or car?", default="train"), Note("way"), Finish()]


def kill_in_mid_work(bench: Bench, effects: int = 4) -> None:
    bench.wrap = Fuse(effects).round
    with pytest.raises(Killed):
        bench.deliver(bench.ready(), message_id="holder")
    bench.wrap = lambda port: port


def test_a_step_that_is_ready_is_run_once_however_often_it_is_said(bench: Make) -> None:
    engine = ScriptedEngine([Write("a", "a"), Finish()])
    world = bench(engine)
    for _ in range(3):
        world.deliver(world.ready())
    assert len(world.results) == 1
    assert engine.played == [Write("a", "a")]


def test_the_first_word_on_a_step_counts(bench: Make) -> None:
    world = bench(ScriptedEngine(TRIP))
    world.deliver(world.ready())
    world.deliver(world.ready(engine="codex"))
    world.deliver(world.answer("car"))
    assert world.result.outcome is Outcome.DONE


def test_the_files_of_a_step_lie_below_its_own_prefix(bench: Make) -> None:
    world = bench(ScriptedEngine([Write("deep.md", "x"), Finish()]))
    world.deliver(world.ready())
    assert all(key.startswith(f"jobs/{ATTEMPT}/main/") for key in world.memory.objects)
    assert world.row.result == f"jobs/{ATTEMPT}/main/result-1.json"


def test_a_tracked_out_folder_is_emptied(bench: Make) -> None:
    world = bench(ScriptedEngine([Finish()]))
    world.deliver(world.ready())
    assert world.artifacts() == {}


def test_an_unknown_engine_fails_the_step_with_a_sentence(bench: Make) -> None:
    world = bench()
    world.deliver(world.ready(engine="codex"))
    assert (world.result.outcome, world.result.reason) == (
        Outcome.FAILED,
        "the engine codex is not available here",
    )


def test_a_permanent_error_of_the_engine_is_the_reason(bench: Make) -> None:
    world = bench(Stubborn(PermanentError("no such model")))
    world.deliver(world.ready())
    assert world.result.reason == "no such model"


def test_the_holders_own_message_takes_over_at_once(bench: Make) -> None:
    world = bench(ScriptedEngine([Write("a", "a"), Finish()]))
    kill_in_mid_work(world)
    fence = world.row.fence
    world.deliver(world.ready(), message_id="holder", receives=2)
    assert world.result.outcome is Outcome.DONE
    assert world.row.fence == fence + 1


def test_another_message_waits_while_the_lease_holds(bench: Make) -> None:
    world = bench(ScriptedEngine([Write("a", "a"), Finish()]))
    kill_in_mid_work(world)
    with pytest.raises(TransientError, match="worked on by another message"):
        world.deliver(world.ready(), message_id="other")
    world.now = lambda: 901.0
    world.deliver(world.ready(), message_id="other", receives=2)
    assert world.result.outcome is Outcome.DONE


def test_a_mere_repeat_never_ends_in_the_dead_letter_queue(bench: Make) -> None:
    world = bench(ScriptedEngine([Write("a", "a"), Finish()]))
    kill_in_mid_work(world)
    world.deliver(world.ready(), message_id="other", receives=5)
    assert world.results == []


def test_a_late_twin_neither_writes_nor_publishes(bench: Make) -> None:
    world = bench()
    twin = Overtaken(world)
    world.engines = {"claude-api": twin}
    with pytest.raises(LostLease):
        world.deliver(world.ready(), message_id="m", receives=1)
    assert [result.summary for result in world.results] == ["the second"]
    assert b"the second" in world.memory.objects[world.row.result or ""]
    assert world.row.state is StepState.FINISHED
    assert world.row.fence == 2


def test_killed_without_progress_it_is_given_up_before_the_queue_does(bench: Make) -> None:
    world = bench(Stubborn(Killed()))
    for receives in range(1, MAX_IDLE + 1):
        with pytest.raises(Killed):
            world.deliver(world.ready(), message_id="m", receives=receives)
    world.deliver(world.ready(), message_id="m", receives=MAX_IDLE + 1)
    assert world.result.reason == f"the agent was killed {MAX_IDLE} times without progress"


def test_the_last_delivery_hands_over_to_a_fresh_message_where_there_was_progress(bench: Make) -> None:
    world = bench(ScriptedEngine([Write("a", "a"), Write("b", "b"), Finish()]))
    kill_in_mid_work(world, effects=5)
    world.deliver(world.ready(), message_id="holder", receives=5)
    assert world.results == []
    world.deliver(world.suspensions[-1])
    assert world.result.outcome is Outcome.DONE


def test_a_defect_is_named_in_the_end(bench: Make) -> None:
    world = bench(Stubborn(KeyError("x")))
    for receives in range(1, MAX_IDLE + 1):
        with pytest.raises(KeyError):
            world.deliver(world.ready(), message_id="m", receives=receives)
    world.deliver(world.ready(), message_id="m", receives=5)
    assert (world.result.reason or "").startswith("the executor failed: KeyError('x')")


def test_it_is_not_suspended_for_ever(bench: Make) -> None:
    world = bench(Stubborn(DeadlineNear()))
    world.deliver(world.ready())
    for _ in range(20):
        if world.results:
            break
        world.deliver(world.suspensions[-1])
    assert "without progress" in (world.result.reason or "")


def test_invocations_have_a_limit_even_with_progress(bench: Make) -> None:
    world = bench(Inching())
    world.deliver(world.ready())
    while not world.results:
        world.deliver(world.suspensions[-1])
    assert world.result.reason == f"stopped after {MAX_INVOCATIONS} invocations"


def test_an_old_suspension_is_over(bench: Make) -> None:
    world = bench(Inching())
    world.deliver(world.ready())
    first = world.suspensions[-1]
    world.deliver(first)
    fence = world.row.fence
    world.deliver(first)
    world.deliver(StepSuspendedV1(attempt=ATTEMPT, goal="shortlist", step="main", fence=99))
    assert world.row.fence == fence


def test_an_answer_to_an_older_question_is_left_alone(bench: Make) -> None:
    world = bench(ScriptedEngine([Ask("one?"), Note("1"), Ask("two?"), Note("2"), Finish()]))
    world.deliver(world.ready())
    old = world.answer("first")
    world.deliver(old)
    world.deliver(old.model_copy(update={"answer": "something else"}))
    assert world.row.state is StepState.WAITING
    world.deliver(world.answer("second"))
    assert world.artifacts() == {"1": b"first", "2": b"second"}


def test_an_answer_before_its_question_comes_later_again(bench: Make) -> None:
    world = bench(ScriptedEngine(TRIP))
    asked = question_id(ATTEMPT, "main", 1)
    early = answer_to(asked)
    with pytest.raises(TransientError, match="not been begun"):
        world.deliver(early)
    kill_in_mid_work(world, effects=2)
    with pytest.raises(TransientError, match="not been asked"):
        world.deliver(early)


def test_a_repeat_while_waiting_publishes_the_same_question_if_it_may_be_lost(bench: Make) -> None:
    world = bench(ScriptedEngine(TRIP))
    kill_in_mid_work(world, effects=5)
    assert world.row.state is StepState.WAITING
    assert not world.row.published
    world.deliver(world.ready(), message_id="holder", receives=2)
    world.deliver(world.ready(), message_id="holder", receives=3)
    assert len({asked.model_dump_json() for asked in world.questions}) == 1
    assert world.row.published


def test_nobody_answers_and_the_goal_blocks(bench: Make) -> None:
    world = bench(ScriptedEngine(TRIP))
    world.deliver(world.ready(ask=ask_policy("block")))
    world.deliver(world.expiry())
    assert world.result.reason == 'blocked: nobody answered "train or car?" in time'
    assert world.result.questions[0].state is QuestionState.EXPIRED


def test_nobody_answers_and_the_default_counts(bench: Make) -> None:
    world = bench(ScriptedEngine(TRIP))
    world.deliver(world.ready(ask=ask_policy("default")))
    world.deliver(world.expiry())
    assert world.artifacts() == {"way": b"train"}
    assert world.result.questions[0].state is QuestionState.EXPIRED


def test_without_a_default_there_is_none_to_go_on_with(bench: Make) -> None:
    world = bench(ScriptedEngine([Ask("train or car?"), Finish()]))
    world.deliver(world.ready(ask=ask_policy("default")))
    world.deliver(world.expiry())
    assert "blocked" in (world.result.reason or "")


def test_nobody_answers_and_it_goes_on_without(bench: Make) -> None:
    world = bench(ScriptedEngine(TRIP))
    world.deliver(world.ready(ask=ask_policy("skip")))
    world.deliver(world.expiry())
    assert world.artifacts() == {"way": b""}


def test_an_answer_after_the_expiry_changes_nothing(bench: Make) -> None:
    world = bench(ScriptedEngine(TRIP))
    world.deliver(world.ready(ask=ask_policy("default")))
    late = world.answer("car")
    world.deliver(world.expiry())
    world.deliver(late)
    assert len(world.results) == 1
    assert world.artifacts() == {"way": b"train"}


def test_questions_have_a_limit(bench: Make) -> None:
    world = bench(ScriptedEngine([Ask(f"question {number}?") for number in range(MAX_QUESTIONS + 1)]))
    world.deliver(world.ready())
    while not world.results:
        world.deliver(world.answer("yes"))
    assert world.result.reason == f"stopped after {MAX_QUESTIONS} questions"


def test_a_call_whose_end_nobody_saw_counts_in_full(bench: Make) -> None:
    world = bench(Spender())
    with pytest.raises(Killed):
        world.deliver(world.ready(), message_id="m")
    world.deliver(world.ready(), message_id="m", receives=2)
    assert world.result.cost_usd == pytest.approx(0.25)


def test_the_row_of_another_step_is_never_touched(bench: Make) -> None:
    world = bench(ScriptedEngine([Finish()]))
    world.deliver(world.ready())
    assert list(world.table.items) == [("step", row_key(ATTEMPT, "main"))]


def answer_to(question: str) -> ClarificationAnsweredV1:
    return ClarificationAnsweredV1(
        question=question, attempt=ATTEMPT, goal="shortlist", step="main", answer="car", by="ana"
    )


class Stubborn:
    """Always leaves the same way."""

    def __init__(self, way: BaseException) -> None:
        self._way = way

    def run(self, run: Run) -> Finished:
        raise self._way


class Inching:
    """Always a little progress, never an end."""

    def run(self, run: Run) -> Finished:
        run.save(str(int(run.checkpoint or b"0") + 1).encode(), run.spend)
        raise DeadlineNear


class Overtaken:
    """While it works, its message is delivered once more and that one gets to the end."""

    def __init__(self, world: Bench) -> None:
        self._world = world
        self._calls = 0

    def run(self, run: Run) -> Finished:
        self._calls += 1
        if self._calls == 2:
            return Finished(outcome=Outcome.DONE, summary="the second")
        self._world.deliver(self._world.ready(), message_id="m", receives=2)
        return Finished(outcome=Outcome.DONE, summary="the first")


class Spender:
    """Dies in a call that may cost a quarter; then it ends."""

    def run(self, run: Run) -> Finished:
        if run.taken_over:
            return Finished(outcome=Outcome.DONE)
        run.save(b"{}", run.spend.reserve(0.25, model="scripted"))
        raise Killed
