"""Events about attempts and their steps."""

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from goalrunner_events.base import AttemptId, BlobRef, Event, GoalId, Instant, Part, StepId
from goalrunner_events.clarifications import AskPolicy, QuestionRecord
from goalrunner_events.goals import Trigger


class Outcome(StrEnum):
    """How a step or an attempt ended: `done` only where every criterion is met (a command: exit 0)."""

    DONE = "done"
    PROGRESSED = "progressed"
    FAILED = "failed"


class Criterion(Part):
    """One acceptance criterion as the goal file has it."""

    id: str
    text: str


class AgentSpec(Part):
    """Which engine runs the step and within which limits."""

    engine: str
    model: str | None = None
    argv: tuple[str, ...] = ()
    max_turns: int = 40
    timeout_seconds: int = 720


class Job(Part):
    """Everything the executor needs to run a step without reading the goal file again."""

    title: str
    path: str
    commit: str
    agent: AgentSpec
    instructions: str
    criteria: tuple[Criterion, ...] = ()
    tools: tuple[str, ...] = ()
    budget_usd: float | None = None
    ask: AskPolicy = AskPolicy()


class AttemptPlannedV1(Event):
    """The attempt file is in the repository."""

    TYPE = "attempt.planned.v1"
    SOURCE = "goalrunner.planner"

    attempt: AttemptId
    goal: GoalId
    title: str
    steps: tuple[StepId, ...]
    commit: str

    def subject(self) -> Sequence[object]:
        return (self.attempt,)


class StepReadyV1(Event):
    """Run this step."""

    TYPE = "step.ready.v1"
    SOURCE = "goalrunner.planner"

    attempt: AttemptId
    goal: GoalId
    step: StepId
    job: Job

    def subject(self) -> Sequence[object]:
        return (self.attempt, self.step)


class StepSuspendedV1(Event):
    """The deadline came near: the checkpoint is saved, go on in a new invocation."""

    TYPE = "step.suspended.v1"
    SOURCE = "goalrunner.executor"

    attempt: AttemptId
    goal: GoalId
    step: StepId
    fence: int

    def subject(self) -> Sequence[object]:
        return (self.attempt, self.step, self.fence)


class Evidence(Part):
    """What the agent says of one acceptance criterion."""

    criterion: str
    met: bool
    note: str = ""


class Artifact(Part):
    """A file that the agent left in `out/`: its path there and where its bytes lie."""

    path: str
    blob: BlobRef


class StepResult(Part):
    """How a step ended and what it leaves behind."""

    step: StepId
    outcome: Outcome
    reason: str | None = None
    summary: str = ""
    next_step: str = ""
    output: str = ""
    evidence: tuple[Evidence, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    questions: tuple[QuestionRecord, ...] = ()
    cost_usd: float = Field(default=0.0, ge=0)
    tokens_in: int = 0
    tokens_out: int = 0
    model: str | None = None


class StepFinishedV1(Event):
    """The step has ended, well or not."""

    TYPE = "step.finished.v1"
    SOURCE = "goalrunner.executor"

    attempt: AttemptId
    goal: GoalId
    result: StepResult

    def subject(self) -> Sequence[object]:
        return (self.attempt, self.result.step)


class AttemptFinishedV1(Event):
    """Every step of the attempt has ended."""

    TYPE = "attempt.finished.v1"
    SOURCE = "goalrunner.planner"

    attempt: AttemptId
    goal: GoalId
    path: str
    slot: Instant
    trigger: Trigger
    outcome: Outcome
    reason: str | None = None
    steps: tuple[StepResult, ...]

    def subject(self) -> Sequence[object]:
        return (self.attempt,)


class ResultReportedV1(Event):
    """The result is committed."""

    TYPE = "result.reported.v1"
    SOURCE = "goalrunner.reporter"

    attempt: AttemptId
    goal: GoalId
    slot: Instant
    outcome: Outcome
    reason: str | None = None
    summary: str = ""
    commit: str
    cost_usd: float = 0.0
    artifacts: tuple[str, ...] = ()
    next_due: Instant | None = None

    def subject(self) -> Sequence[object]:
        return (self.attempt,)
