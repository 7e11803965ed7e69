"""The planner's own table."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from goalrunner_events import BlobRef, Instant, Trigger
from goalrunner_shared.rows import Row


class AttemptRow(Row):
    """An attempt from its planning to its end, by attempt id.

    `commit` holds the attempt file. `results` says by step where the first result of each step lies. `problem` is
    why there are no steps. `announced`: what the planning led to is published; `ended`: attempt.finished is.
    """

    KIND: ClassVar[str] = "attempt"

    goal: str
    path: str
    slot: Instant
    trigger: Trigger
    commit: str
    steps: tuple[str, ...]
    results: Mapping[str, BlobRef] = Field(default_factory=dict)
    problem: str | None = None
    announced: bool = False
    ended: bool = False

    @property
    def complete(self) -> bool:
        """Whether every step has a result."""
        return all(step in self.results for step in self.steps)
