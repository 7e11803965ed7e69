"""The values of a goal file, from the text that a person writes to what the program works with."""

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePosixPath
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, PlainSerializer, PlainValidator, Strict, WithJsonSchema

GOAL_ID = r"^[a-z0-9][a-z0-9-]{0,62}$"
LONGEST = timedelta(days=3660)

_DURATION = re.compile(r"(\d{1,9})([smhd])")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}
_LOCAL_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


class Misfit(ValueError):
    """A value that does not fit, with what to type instead."""

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.hint = hint


def parse_duration(value: object) -> timedelta:
    """`30m`, `2h`, `7d` (or `90s`) as a timedelta above zero."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    length = int(match[1]) * _UNITS[match[2]] if match else timedelta(0)
    if not timedelta(0) < length <= LONGEST:
        raise ValueError("must be a length of time like 30m, 2h or 7d")
    return length


def duration_text(length: timedelta) -> str:
    """The shortest text that `parse_duration` reads back as `length`."""
    for letter, unit in _UNITS.items():
        if length % unit == timedelta(0):
            return f"{length // unit}{letter}"
    raise ValueError(f"{length} is not a whole number of seconds")


def parse_local_time(value: object) -> time:
    """`09:00` as a wall-clock time without a zone."""
    if isinstance(value, time):
        return value
    match = _LOCAL_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a time of day with two digits each, like 09:00")
    return time(int(match[1]), int(match[2]))


def parse_moment(value: object) -> date | datetime:
    """A date, or an instant (which may still lack its zone: whoever needs one checks)."""
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _DATE.match(value):
        try:
            return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("must be a date like 2027-03-01 or an instant like 2027-03-01T09:00Z")


def check_instant(value: date | datetime) -> date | datetime:
    """A date stays a date; a date with a time needs its zone."""
    if isinstance(value, datetime) and value.tzinfo is None:
        raise Misfit("has no time zone", "end it with Z or an offset like +01:00")
    return value


def parse_utc(value: object) -> datetime:
    """An instant with its zone, in UTC."""
    instant = check_instant(parse_moment(value))
    if not isinstance(instant, datetime):
        raise ValueError("must be an instant like 2027-03-01T09:00Z")
    return instant.astimezone(UTC)


def instant_text(instant: datetime) -> str:
    """An instant as it stands in files: `2026-01-01T10:00:00Z`."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def check_zone(value: str) -> str:
    """A time zone that this machine knows."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"is {value!r}, which is not a time zone like Europe/Lisbon") from None
    return value


def check_inside(value: str) -> str:
    """A relative path that stays inside its repository."""
    path = PurePosixPath(value)
    if path.is_absolute() or ".." in path.parts or "\\" in value or value[:1] == "~":
        raise Misfit(f"is {value!r}, which leads outside the repository", "write a path relative to its root")
    if not path.parts or ".git" in (part.casefold() for part in path.parts):
        raise Misfit(f"is {value!r}, where nothing may be put", "write a path of its own, like sources/site")
    return value


def parse_usd(value: object) -> Decimal:
    """An amount of US dollars as an exact decimal."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError("must be an amount of US dollars like 0.50")
    try:
        amount = Decimal(str(value))
    except ArithmeticError:
        amount = Decimal(-1)
    if not (amount.is_finite() and 0 <= amount <= 1_000_000):
        raise ValueError("must be an amount of US dollars like 0.50")
    return amount


def _text_schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


Duration = Annotated[
    timedelta,
    PlainValidator(parse_duration),
    PlainSerializer(duration_text, return_type=str),
    _text_schema(r"^[0-9]{1,9}[smhd]$", "30m", "2h", "7d"),
]
LocalTime = Annotated[
    time,
    PlainValidator(parse_local_time),
    PlainSerializer(lambda value: f"{value:%H:%M}", return_type=str),
    _text_schema(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "09:00"),
]
Moment = Annotated[
    date | datetime,
    PlainValidator(parse_moment),
    PlainSerializer(date.isoformat, return_type=str),
    _text_schema(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}", "2027-03-01", "2027-03-01T09:00Z"),
]
ZonedMoment = Annotated[Moment, AfterValidator(check_instant)]
Instant = Annotated[
    datetime,
    PlainValidator(parse_utc),
    PlainSerializer(instant_text, return_type=str),
    _text_schema(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T.*(Z|[+-][0-9]{2}:[0-9]{2})$", "2027-03-01T09:00Z"),
]
Usd = Annotated[
    Decimal,
    PlainValidator(parse_usd),
    PlainSerializer(lambda value: f"{value:f}", return_type=str, when_used="json"),
    WithJsonSchema({"type": ["number", "string"], "minimum": 0, "examples": [0.5]}),
]
Zone = Annotated[str, AfterValidator(check_zone)]
GoalId = Annotated[str, Field(pattern=GOAL_ID, max_length=63)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:/*-]{0,127}$")]
Line = Annotated[str, Field(pattern=r"^[^\r\n]*\S[^\r\n]*$", max_length=300)]
InsidePath = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(check_inside)]
Count = Annotated[int, Strict(), Field(ge=1, le=1_000_000)]
Flag = Annotated[bool, Strict()]
