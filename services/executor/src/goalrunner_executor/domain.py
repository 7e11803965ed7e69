"""Decisions about a step: pure."""

from collections.abc import Sequence
from enum import Enum, auto

from goalrunner_events import (
    Artifact,
    ClarificationRequestedV1,
    OnTimeout,
    Outcome,
    QuestionRecord,
    QuestionState,
    StepReadyV1,
    StepResult,
)
from goalrunner_executor.exits import Exit, Finished, LimitReached, NeedsClarification
from goalrunner_executor.rows import StepRun, StepState
from goalrunner_shared.errors import PermanentError
from goalrunner_shared.goals.ids import question_id
from goalrunner_shared.topology import MAX_RECEIVES

# The queue's last delivery is used to say so, not to be killed once more.
MAX_IDLE = MAX_RECEIVES - 1
MAX_QUESTIONS = 20
MAX_INVOCATIONS = 100
MOST_NAMED = 50


class Move(Enum):
    """What to do about a message that belongs to a step."""

    GO_ON = auto()
    TAKE_OVER = auto()
    REPUBLISH = auto()
    LATER = auto()
    IGNORE = auto()


def decide(row: StepRun, *, message_id: str, now: float, opens: bool) -> Move:
    """`opens`: the message is what the step has been suspended or waiting for.

    The holder's own message, delivered again, takes over at once: the queue's visibility has judged it dead.
    """
    if row.state is StepState.RUNNING:
        return Move.TAKE_OVER if message_id == row.holder or now >= row.lease_until else Move.LATER
    if opens:
        return Move.GO_ON
    return Move.IGNORE if row.published else Move.REPUBLISH


def claimed(row: StepRun, move: Move, *, message_id: str, lease_until: float) -> StepRun:
    """The row of the next invocation; what the one before has reserved counts as spent."""
    return row.model_copy(
        update={
            "state": StepState.RUNNING,
            "holder": message_id,
            "fence": row.fence + 1,
            "lease_until": lease_until,
            "idle": row.idle + 1,
            "in_doubt": row.in_doubt or move is Move.TAKE_OVER,
            "spend": row.spend.assume_spent(),
            "published": False,
        }
    )


def resolved(row: StepRun, *, answer: str | None, by: str | None) -> StepRun:
    """The row once the human has answered, or (`by` is None) has not in time: then the question's default counts."""
    assert row.asked is not None
    *before, last = row.questions
    expired = by is None
    text = _default(row.asked) if expired else answer
    state = QuestionState.EXPIRED if expired else QuestionState.ANSWERED
    record = last.model_copy(update={"state": state, "answer": text, "by": by})
    return row.model_copy(update={"questions": (*before, record), "idle": -1, "trouble": None})


def _default(asked: ClarificationRequestedV1) -> str | None:
    return asked.default if asked.ask.on_timeout is OnTimeout.DEFAULT else None


def dead_end(row: StepRun) -> str | None:
    """Why this step must not run again, as the reason of its failure."""
    if row.idle >= MAX_IDLE:
        if row.trouble:
            return f"{row.trouble} (tried {row.idle} times)"
        return f"the agent was killed {row.idle} times without progress"
    if row.fence > MAX_INVOCATIONS:
        return f"stopped after {MAX_INVOCATIONS} invocations"
    return _unanswered(row)


def _unanswered(row: StepRun) -> str | None:
    if not row.questions or row.asked is None or row.questions[-1].state is not QuestionState.EXPIRED:
        return None
    if row.asked.ask.on_timeout is OnTimeout.SKIP or row.questions[-1].answer is not None:
        return None
    return f'blocked: nobody answered "{row.questions[-1].text}" in time'


def ask(ready: StepReadyV1, row: StepRun, question: NeedsClarification) -> ClarificationRequestedV1:
    """The event of the next question; its id follows from the step and the question's ordinal."""
    return ClarificationRequestedV1(
        question=question_id(row.attempt, row.step, len(row.questions) + 1),
        attempt=row.attempt,
        goal=row.goal,
        step=row.step,
        title=ready.job.title,
        text=question.text,
        why=question.why,
        options=question.options,
        default=question.default,
        kind=question.kind,
        ask=ready.job.ask,
        cost_usd=row.spend.cost_usd,
    )


def asking(row: StepRun, asked: ClarificationRequestedV1) -> dict[str, object]:
    """What changes in the row when the question is put; the lease ends with it."""
    record = QuestionRecord(id=asked.question, text=asked.text, options=asked.options, state=QuestionState.OPEN)
    questions = (*row.questions, record)
    return {"state": StepState.WAITING, "asked": asked, "questions": questions, "published": False, "lease_until": 0.0}


def ending_of(leave: Exit | PermanentError) -> Finished:
    """The end that a limit or a fact about the world puts to a run."""
    return failed(leave.reason if isinstance(leave, LimitReached) else str(leave))


def failed(reason: str) -> Finished:
    """An end without a result."""
    return Finished(outcome=Outcome.FAILED, reason=reason)


def result_of(
    row: StepRun, finished: Finished, *, artifacts: Sequence[Artifact] = (), left_out: Sequence[str] = ()
) -> StepResult:
    """The step's result as everybody else gets it."""
    spend = row.spend.assume_spent()
    return StepResult(
        step=row.step,
        outcome=finished.outcome,
        reason=finished.reason,
        summary=finished.summary,
        next_step=finished.next_step,
        output=finished.output + _named(left_out),
        evidence=finished.evidence,
        artifacts=tuple(artifacts),
        questions=row.questions,
        cost_usd=spend.cost_usd,
        tokens_in=spend.tokens_in,
        tokens_out=spend.tokens_out,
        model=spend.model,
    )


def _named(left_out: Sequence[str]) -> str:
    if not left_out:
        return ""
    more = [f"and {len(left_out) - MOST_NAMED} more"] if len(left_out) > MOST_NAMED else []
    return "\n[left out of the artefacts]\n" + "".join(f"{line}\n" for line in [*left_out[:MOST_NAMED], *more])
