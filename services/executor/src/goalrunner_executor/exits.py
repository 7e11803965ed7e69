"""The ways out of an engine's run: `Finished` is returned, the others are raised."""

from dataclasses import dataclass

from goalrunner_events import Evidence, Outcome, QuestionKind


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The run has come to its end; `reason` says why where `outcome` is failed."""

    outcome: Outcome
    reason: str | None = None
    summary: str = ""
    next_step: str = ""
    output: str = ""
    evidence: tuple[Evidence, ...] = ()


class Exit(Exception):
    """Root of what leaves a run before its end."""


class NeedsClarification(Exit):
    """Only the human can say; everything needed to go on has been saved before this is raised."""

    def __init__(
        self,
        text: str,
        *,
        why: str = "",
        options: tuple[str, ...] = (),
        default: str | None = None,
        kind: QuestionKind = QuestionKind.QUESTION,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.why = why
        self.options = options
        self.default = default
        self.kind = kind


class LimitReached(Exit):
    """A limit of the goal ends the run; `reason` is for the human: which limit, and what to change."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class DeadlineNear(Exit):
    """The function is about to end; everything needed to go on has been saved before this is raised."""
