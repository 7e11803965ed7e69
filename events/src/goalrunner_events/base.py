"""What every event is made of: its name, its identity and the envelope round it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, ClassVar
from uuid import UUID, uuid5

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer

NAMESPACE = UUID("6f1f7a52-3c8f-5b0e-9b7b-0d8f6c5a2e11")
MAX_HOPS = 12


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


def _utc(instant: datetime) -> datetime:
    # One instant must be one text, or the same event would have two ids.
    return instant.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_utc), PlainSerializer(_iso, return_type=str, when_used="json")]


# What names a thing in rows, keys and paths must not be able to name another place.
_NAME = "[a-z0-9][a-z0-9-]{0,62}"
GoalId = Annotated[str, Field(pattern=f"^{_NAME}$")]
AttemptId = Annotated[str, Field(pattern=rf"^{_NAME}\.[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9]{{4}}Z\.[0-9a-f]{{6}}$")]
StepId = Annotated[str, Field(pattern=f"^{_NAME}$")]
QuestionId = Annotated[str, Field(pattern="^[a-z2-7]{10}$")]


class Part(BaseModel):
    """A value inside an event; unknown fields are ignored: an older consumer reads a newer producer."""

    # Validators are built when first needed: a service pays for the events that it handles, not for all.
    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)


class Event(Part):
    """The data of one event; a subclass names its type (`<noun>.<past-participle>.v<major>`) and source."""

    TYPE: ClassVar[str]
    SOURCE: ClassVar[str]

    def subject(self) -> Sequence[object]:
        """What makes it the same event when it is published again; an ordinal comes last."""
        raise NotImplementedError

    def correlation(self) -> str | None:
        """The attempt that this event belongs to; None leaves it to the event that caused this one."""
        return None

    def hop(self) -> int:
        """1 where an attempt is made because of another attempt; bounds chains of them."""
        return 0

    def event_id(self) -> str:
        """The same for the same type and subject, for ever."""
        return str(uuid5(NAMESPACE, "|".join((self.TYPE, *map(str, self.subject())))))


class Meta(Part):
    """Where an event comes from: filled in by the publisher from the message being handled."""

    event_id: str
    correlation_id: str
    causation_id: str | None = None
    hops: int = Field(default=0, ge=0, le=MAX_HOPS)
    occurred_at: Instant
    trace_id: str | None = None


class BlobRef(Part):
    """Where something too big for an event lies: key in the bucket, SHA-256 in hex, size in bytes."""

    key: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Envelope(Part):
    """The `detail` of an event on the bus: `data`, or `data_ref` where the data went to the bucket."""

    meta: Meta
    data: dict[str, object] | None = None
    data_ref: BlobRef | None = None
