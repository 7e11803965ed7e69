"""What the executor remembers of a step."""

from enum import StrEnum
from typing import ClassVar

from goalrunner_events import ClarificationRequestedV1, QuestionRecord
from goalrunner_executor.spend import Spend
from goalrunner_shared.rows import Row


class StepState(StrEnum):
    """Who has to do something next: an invocation, this service again, the human, nobody."""

    RUNNING = "running"
    SUSPENDED = "suspended"
    WAITING = "waiting"
    FINISHED = "finished"


class StepRun(Row):
    """One step of an attempt.

    `holder` is the message that runs it, `fence` counts the invocations, `lease_until` is in seconds of real time.
    `idle` counts invocations since the checkpoint last changed; `in_doubt` says that one of them died. `checkpoint`
    and `result` are keys in the bucket. `asked` is the last question as it was published, and the last of `questions`
    says what came of it. `published` says whether the event that belongs to `state` is out. `trouble` is the last
    passing error.
    """

    KIND: ClassVar[str] = "step"

    attempt: str
    goal: str
    step: str
    state: StepState = StepState.RUNNING
    holder: str
    fence: int = 1
    lease_until: float
    idle: int = 0
    in_doubt: bool = False
    saves: int = 0
    checkpoint: str | None = None
    result: str | None = None
    spend: Spend = Spend()
    questions: tuple[QuestionRecord, ...] = ()
    asked: ClarificationRequestedV1 | None = None
    published: bool = False
    trouble: str | None = None


def row_key(attempt: str, step: str) -> str:
    """The key of a step's row."""
    return f"{attempt}/{step}"
