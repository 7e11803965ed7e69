"""The scanner's own table."""

from typing import ClassVar

from goalrunner_events import GoalDueV1, Instant, Trigger
from goalrunner_shared.rows import Row


class GoalRow(Row):
    """The newest attempt at a goal, by goal id: open from goal.due until the result of this very attempt is reported.

    `published`: the bus has taken goal.due. A repeat publishes exactly what stands here.
    """

    KIND: ClassVar[str] = "goal"

    attempt: str
    slot: Instant
    trigger: Trigger
    request_id: str | None = None
    path: str
    commit: str
    published: bool = False
    closed: bool = False

    def event(self, goal: str) -> GoalDueV1:
        """The goal.due of this attempt."""
        return GoalDueV1(
            attempt=self.attempt,
            goal=goal,
            path=self.path,
            commit=self.commit,
            slot=self.slot,
            trigger=self.trigger,
            request_id=self.request_id,
        )


class RejectedRow(Row):
    """A version of a goal file that was rejected, by the event id of its goal.rejected."""

    KIND: ClassVar[str] = "rejected"

    path: str
    published: bool = False
