"""Identifiers, derived and never drawn: that is what makes a repeat harmless and a replay exact."""

import re
from base64 import b32encode
from datetime import UTC, datetime
from hashlib import sha256
from typing import NamedTuple

from goalrunner_shared.clock import slot_name

_ATTEMPT_ID = re.compile(r"([a-z0-9][a-z0-9-]{0,62})\.(\d{4}-\d\d-\d\dT\d{4}Z)\.([0-9a-f]{6})")


class AttemptName(NamedTuple):
    """The parts of an attempt id; `instant` is to the minute, in UTC."""

    goal: str
    instant: datetime
    short: str


def attempt_id(goal: str, instant: datetime, trigger: str, request_id: str = "") -> str:
    """`<goal>.<YYYY-MM-DDTHHMMZ>.<6 hex>`; the request id keeps two manual runs of one minute apart."""
    slot = slot_name(instant)
    short = _digest(goal, instant.astimezone(UTC).isoformat(), trigger, request_id).hex()[:6]
    return f"{goal}.{slot}.{short}"


def split_attempt_id(text: str) -> AttemptName:
    """The parts of an attempt id; ValueError for anything else."""
    match = _ATTEMPT_ID.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an attempt id like lisbon-flat.2026-01-01T1000Z.3f2a1b")
    goal, slot, short = match.groups()
    return AttemptName(goal, datetime.strptime(slot, "%Y-%m-%dT%H%MZ").replace(tzinfo=UTC), short)


def question_id(attempt: str, step: str, ordinal: int) -> str:
    """Ten characters of lower-case base32: short enough for a Telegram button, the same in every repeat."""
    return b32encode(_digest(attempt, step, str(ordinal))).decode("ascii").lower()[:10]


def _digest(*parts: str) -> bytes:
    return sha256("\0".join(parts).encode("utf-8")).digest()
