"""The time as a port: what the domain calls now."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]

SLOT = timedelta(hours=2)


def system_clock() -> datetime:
    """The present instant in UTC."""
    return datetime.now(UTC)


def fixed_clock(instant: datetime) -> Clock:
    """A clock that stands still at `instant`, so that a run can be repeated to the byte."""
    return lambda: instant


def clock_from(text: str | None) -> Clock:
    """The clock that a setting asks for: an ISO instant fixes it, nothing means the system's."""
    return fixed_clock(parse_instant(text)) if text else system_clock


def parse_instant(text: str) -> datetime:
    """An ISO 8601 instant with a zone as UTC; ValueError where the zone is missing."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return instant.astimezone(UTC)


def floor_to_slot(instant: datetime) -> datetime:
    """The slot that `instant` lies in: the scan's scheduled time, every two hours from midnight UTC."""
    midnight = instant.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (instant.astimezone(UTC) - midnight) // SLOT * SLOT


def slot_name(instant: datetime) -> str:
    """An instant as it stands in ids and file names: `2026-01-01T1000Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H%MZ")
