"""What the notifier needs of the world, in its own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from goalrunner_events import Instant, OnTimeout, QuestionState
from goalrunner_shared.errors import GoalrunnerError, PermanentError


class Fate(StrEnum):
    """What became of an execution of the state machine."""

    UNKNOWN = "unknown"  # never started, or forgotten by an emulator that was killed
    RUNNING = "running"
    ANSWERED = "answered"  # clarification.answered is on the bus
    EXPIRED = "expired"  # clarification.expired is on the bus
    LOST = "lost"  # ended without an event


class TooLate(GoalrunnerError):
    """The task behind this token waits no longer; the caller asks for the execution's fate."""


@dataclass(frozen=True)
class WaitOrder:
    """One wait: what the state machine is started with; `expired` is the sealed detail that it may publish."""

    question: str
    generation: int
    timeout_seconds: int
    heartbeat_seconds: int
    expired: str

    @property
    def name(self) -> str:
        """The execution's name."""
        return execution_name(self.question, self.generation)


def execution_name(question: str, generation: int) -> str:
    """The name of an execution, of its alarm and of its notification."""
    return f"{question}-{generation}"


class Wait(Protocol):
    """The state machine that waits for a human and publishes what came of it; the only one who publishes that."""

    def start(self, order: WaitOrder) -> Fate:
        """Start the execution unless one of its name exists; RUNNING where it waits, else how that one ended."""

    def fate(self, name: str) -> Fate:
        """What became of the execution of this name."""

    def answer(self, token: str, detail: str) -> None:
        """End the wait with the sealed detail of clarification.answered; TooLate."""

    def expire(self, token: str) -> None:
        """End the wait without an answer; TooLate."""

    def beat(self, token: str) -> None:
        """Start the heartbeat window afresh; TooLate."""


class Alarms(Protocol):
    """One message later, into the deliver queue."""

    def set(self, name: str, *, after: timedelta, message: Mapping[str, object]) -> None:
        """Send `message` once, `after` from the real now; an alarm of that name that exists is left alone."""


class NoticeKind(StrEnum):
    """What a notice is about."""

    QUESTION = "question"
    REPORT = "report"
    REJECTION = "rejection"
    PLAIN = "plain"


class Notice(BaseModel):
    """One message to the human, before a channel gives it its form.

    `key` is the same whenever the same notice is sent again. Of a question, `state`, `answer` and `by` say how it
    stands now and `on_timeout` what happens at the `deadline`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    key: str
    kind: NoticeKind
    title: str
    text: str
    why: str = ""
    options: tuple[str, ...] = ()
    default: str | None = None
    on_timeout: OnTimeout | None = None
    deadline: Instant | None = None
    question: str | None = None
    goal: str | None = None
    attempt: str | None = None
    cost_usd: float = 0.0
    state: QuestionState | None = None
    answer: str | None = None
    by: str | None = None


class ChannelRefused(PermanentError):
    """The channel will never take this notice."""


class Channel(Protocol):
    """The way to the human."""

    @property
    def name(self) -> str:
        """As it stands in notification events."""

    def send(self, notice: Notice) -> str:
        """Deliver and return the channel's message id, once it has confirmed it; ChannelRefused, TransientError."""

    def edit(self, message_id: str, notice: Notice) -> None:
        """Show `notice` where that message stands; the same twice is fine; ChannelRefused, TransientError."""
