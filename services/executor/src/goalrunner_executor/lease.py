"""The right to work on a step: every write is conditional on still having it."""

from typing import Any

from goalrunner_executor.rows import StepRun, row_key
from goalrunner_shared.errors import TransientError
from goalrunner_shared.rows import Rows


class LostLease(TransientError):
    """Another invocation has taken the step over; this one must neither write nor publish any more."""


class Lease:
    """Holds the row as this invocation last wrote it."""

    def __init__(self, rows: Rows, row: StepRun) -> None:
        self._rows = rows
        self.row = row

    @classmethod
    def first(cls, rows: Rows, row: StepRun) -> "Lease":
        """The lease of a step that nobody has begun; LostLease where somebody was faster."""
        if not rows.add(row_key(row.attempt, row.step), row):
            raise LostLease(f"{row.attempt}/{row.step} has just been begun by somebody else")
        return cls(rows, row.model_copy(update={"version": 1}))

    @classmethod
    def next(cls, rows: Rows, row: StepRun) -> "Lease":
        """The lease of a step whose row is to become `row`, from the version that it was read at; LostLease."""
        lease = cls(rows, row)
        lease._put(row)
        return lease

    def write(self, **changes: Any) -> None:
        """Change the row; LostLease."""
        self._put(self.row.model_copy(update=changes))

    def _put(self, row: StepRun) -> None:
        if not self._rows.replace(row_key(row.attempt, row.step), row):
            raise LostLease(f"{row.attempt}/{row.step} has been taken over by somebody else")
        self.row = row.model_copy(update={"version": row.version + 1})
