"""The reporter's own table."""

from typing import ClassVar

from goalrunner_shared.rows import Row


class ReportRow(Row):
    """A report by attempt id: the commit that holds it, and whether the world has been told."""

    KIND: ClassVar[str] = "report"

    commit: str
    published: bool = False
