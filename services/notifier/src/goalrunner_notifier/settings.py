"""The notifier's settings."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field

from goalrunner_shared.settings import Settings


class NotifierSettings(Settings):
    """`ask_cap` in seconds bounds how long any question waits; `terminal` is the outbox file of that channel.

    `state_machine`, `deliver_queue` and `scheduler_role` are ARNs.
    """

    state_machine: str
    deliver_queue: str
    scheduler_role: str
    channel: Literal["terminal"] = "terminal"
    terminal: Path
    ask_cap: int | None = Field(default=None, gt=0)

    def longest_wait(self) -> timedelta | None:
        """The cap as a length of time."""
        return None if self.ask_cap is None else timedelta(seconds=self.ask_cap)
