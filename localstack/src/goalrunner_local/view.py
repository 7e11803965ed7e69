"""What a run looks like from outside: a fold over the events, for the screen, the table and `--json`."""

from dataclasses import dataclass, field
from typing import Any

from goalrunner_events import (
    AttemptFinishedV1,
    AttemptPlannedV1,
    ClarificationAnsweredV1,
    ClarificationExpiredV1,
    ClarificationRequestedV1,
    Event,
    GoalDueV1,
    GoalStanding,
    Meta,
    Outcome,
    QuestionState,
    ResultReportedV1,
    ScanCompletedV1,
    Standing,
    StepFinishedV1,
    StepReadyV1,
    StepSuspendedV1,
)

SHORT = {
    GoalDueV1.TYPE: "due",
    AttemptPlannedV1.TYPE: "planned",
    StepReadyV1.TYPE: "ready",
    StepSuspendedV1.TYPE: "suspended",
    ClarificationRequestedV1.TYPE: "asks",
    ClarificationAnsweredV1.TYPE: "answered",
    ClarificationExpiredV1.TYPE: "expired",
    StepFinishedV1.TYPE: "finished",
    AttemptFinishedV1.TYPE: "closed",
    ResultReportedV1.TYPE: "reported",
}


@dataclass
class QuestionLine:
    """A question as the run saw it; `answer` is what was answered, or the default that was taken."""

    id: str
    text: str
    options: tuple[str, ...] = ()
    default: str | None = None
    state: QuestionState = QuestionState.OPEN
    answer: str | None = None
    on_timeout: str = "block"
    why: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"id": self.id, "text": self.text, "options": list(self.options), "state": self.state.value}


@dataclass
class GoalLine:
    """One goal of the run. `outcome` is None while an attempt is being made."""

    id: str
    title: str = ""
    outcome: str | None = None
    attempt: str | None = None
    commit: str | None = None
    cost_usd: float = 0.0
    reason: str | None = None
    questions: list[QuestionLine] = field(default_factory=list)
    trail: list[str] = field(default_factory=list)

    @property
    def asks(self) -> QuestionLine | None:
        """The question that is open, if any."""
        return next((each for each in self.questions if each.state is QuestionState.OPEN), None)

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "outcome": self.outcome or ("waiting" if self.asks else "running"),
            "attempt": self.attempt,
            "commit": self.commit,
            "cost_usd": round(self.cost_usd, 6),
            "questions": [question.as_json() for question in self.questions],
            "reason": self.reason,
        }


class RunView:
    """The run of one slot: give it every event with `apply`, in any order a bus may deliver them."""

    def __init__(self) -> None:
        self.goals: dict[str, GoalLine] = {}
        self.scan: ScanCompletedV1 | None = None
        self._seen: set[str] = set()

    def apply(self, meta: Meta, event: Event) -> GoalLine | None:
        """Take an event in; the line that it changed."""
        if meta.event_id in self._seen:
            return None
        self._seen.add(meta.event_id)
        match event:
            case ScanCompletedV1():
                self._scanned(event)
            case _ if hasattr(event, "attempt") and hasattr(event, "goal"):
                return self._moved(event)
        return None

    def bring_along(self, goal: str, attempt: str, question: QuestionLine) -> None:
        """Add a question that an earlier run has asked."""
        line = self.goals.get(goal)
        if line and line.attempt == attempt and all(known.id != question.id for known in line.questions):
            line.questions.append(question)

    def _scanned(self, scan: ScanCompletedV1) -> None:
        self.scan = scan
        taken: set[str] = set()
        for standing in sorted(scan.goals, key=lambda each: each.standing is Standing.REJECTED):
            # Several files may go by one name, of which one at most is good: those after the first go by their path.
            self._stand(standing, name=standing.path if standing.goal in taken else standing.goal)
            taken.add(standing.goal)

    def _stand(self, standing: GoalStanding, *, name: str) -> None:
        line = self.goals.setdefault(name, GoalLine(standing.goal))
        line.title = standing.title
        if standing.standing in (Standing.DUE, Standing.OPEN):
            self._take_up(line, standing.attempt)
        elif line.attempt is None:
            line.outcome = standing.standing.value
            line.reason = standing.reason

    def _take_up(self, line: GoalLine, attempt: str | None) -> None:
        if attempt and line.attempt != attempt:
            line.attempt, line.outcome, line.reason, line.commit = attempt, None, None, None
            line.cost_usd, line.questions, line.trail = 0.0, [], []

    def _moved(self, event: Any) -> GoalLine:
        line: GoalLine = self.goals.setdefault(event.goal, GoalLine(event.goal))
        if isinstance(event, GoalDueV1) or line.attempt is None:
            self._take_up(line, event.attempt)
        if line.attempt != event.attempt:
            return line
        if event.TYPE in SHORT:
            line.trail.append(SHORT[event.TYPE])
        self._follow(line, event)
        return line

    def _follow(self, line: GoalLine, event: Any) -> None:
        match event:
            case AttemptPlannedV1():
                line.title = event.title
                line.commit = line.commit or event.commit
            case StepReadyV1():
                line.title = event.job.title
            case ClarificationRequestedV1():
                line.cost_usd = max(line.cost_usd, event.cost_usd)
                _ask(line, event)
            case ClarificationAnsweredV1():
                _close(line, event.question, QuestionState.ANSWERED, event.answer)
            case ClarificationExpiredV1():
                _close(line, event.question, QuestionState.EXPIRED, None)
            case StepFinishedV1():
                line.cost_usd = max(line.cost_usd, event.result.cost_usd)
            case AttemptFinishedV1():
                line.reason = event.reason
            case ResultReportedV1():
                _report(line, event)

    @property
    def open_lines(self) -> list[GoalLine]:
        """The goals whose attempt is neither reported nor waiting for the human."""
        return [line for line in self.goals.values() if line.outcome is None and line.asks is None]

    @property
    def failed(self) -> bool:
        """Whether an attempt of this run has failed."""
        return any(line.as_json()["outcome"] == "failed" for line in self.goals.values())

    def as_json(self) -> dict[str, Any]:
        slot = f"{self.scan.slot:%Y-%m-%dT%H:%MZ}" if self.scan else None
        return {"slot": slot, "goals": [self.goals[name].as_json() for name in sorted(self.goals)]}


def _ask(line: GoalLine, event: ClarificationRequestedV1) -> None:
    if any(known.id == event.question and known.text for known in line.questions):
        return
    asked = QuestionLine(
        event.question, event.text, event.options, event.default, on_timeout=event.ask.on_timeout, why=event.why
    )
    # The answer may have come in first; then only the words are missing.
    for known in line.questions:
        if known.id == event.question:
            known.text, known.options, known.why = asked.text, asked.options, asked.why
            known.default, known.on_timeout = asked.default, asked.on_timeout
            known.answer = known.answer or _taken(known)
            return
    line.questions.append(asked)


def _close(line: GoalLine, question: str, state: QuestionState, answer: str | None) -> None:
    found = next((each for each in line.questions if each.id == question), None)
    if found is None:
        found = QuestionLine(question, "")
        line.questions.append(found)
    found.state = state
    found.answer = answer if answer is not None else _taken(found)


def _taken(question: QuestionLine) -> str | None:
    expired = question.state is QuestionState.EXPIRED
    return question.default if expired and question.on_timeout == "default" else None


def _report(line: GoalLine, event: ResultReportedV1) -> None:
    line.outcome = Outcome(event.outcome).value
    line.reason = event.reason
    line.commit = event.commit
    line.cost_usd = event.cost_usd
