"""Events about goals: scans, what is due, what cannot be read."""

from collections.abc import Sequence
from enum import StrEnum

from goalrunner_events.base import AttemptId, Event, GoalId, Instant, Part


class Trigger(StrEnum):
    """Why an attempt is made."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    DEPENDENCY = "dependency"


class Standing(StrEnum):
    """How a goal stands after a scan."""

    DUE = "due"
    OPEN = "open"
    SKIPPED = "skipped"
    REJECTED = "rejected"


class ScanRequestedV1(Event):
    """Look at the goals repository for this slot; a `goal` named is due whatever its schedule says."""

    TYPE = "scan.requested.v1"
    SOURCE = "goalrunner.scheduler"

    slot: Instant | None = None
    goal: str | None = None
    trigger: Trigger = Trigger.SCHEDULE
    request_id: str | None = None

    def subject(self) -> Sequence[object]:
        return (self.slot, self.goal, self.request_id)

    def correlation(self) -> str | None:
        return f"scan.{self.slot:%Y-%m-%dT%H%MZ}" if self.slot else None


class GoalStanding(Part):
    """One goal in a scan: `attempt` is the one that is open, `reason` says why it is not due."""

    goal: str
    path: str
    title: str
    standing: Standing
    reason: str | None = None
    attempt: AttemptId | None = None
    next_due: Instant | None = None


class ScanCompletedV1(Event):
    """The scan is through: which commit it read and how each goal stands."""

    TYPE = "scan.completed.v1"
    SOURCE = "goalrunner.scanner"

    request: str
    slot: Instant
    commit: str
    seconds: float
    goals: tuple[GoalStanding, ...]

    def subject(self) -> Sequence[object]:
        return (self.request,)


class GoalRejectedV1(Event):
    """This goal file is invalid; said once for each version (`blob`) of the file."""

    TYPE = "goal.rejected.v1"
    SOURCE = "goalrunner.scanner"

    path: str
    blob: str
    line: int
    problem: str
    hint: str

    def subject(self) -> Sequence[object]:
        return (self.path, self.blob)


class GoalDueV1(Event):
    """Make this attempt at the goal, as its file stands at `commit`."""

    TYPE = "goal.due.v1"
    SOURCE = "goalrunner.scanner"

    attempt: AttemptId
    goal: GoalId
    path: str
    commit: str
    slot: Instant
    trigger: Trigger
    request_id: str | None = None

    def subject(self) -> Sequence[object]:
        return (self.attempt,)

    def correlation(self) -> str | None:
        return self.attempt

    def hop(self) -> int:
        return int(self.trigger is Trigger.DEPENDENCY)
