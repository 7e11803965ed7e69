"""Messages as a handler sees them, read from the records of a queue."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from goalrunner_events import EVENTS, Envelope, Event, Meta
from goalrunner_shared.blobs import Blobs, fetch
from goalrunner_shared.errors import MalformedMessage

T_co = TypeVar("T_co", covariant=True)

Record = Mapping[str, Any]


def _for_ever() -> float:
    return float("inf")


@dataclass(frozen=True)
class Message(Generic[T_co]):
    """One thing to handle: `body` (an event, or a service's own model) and how it came.

    `message_id` stays the same when the queue delivers again, `receive_count` then grows;
    `remaining()` is how many seconds the function has left.
    """

    body: T_co
    meta: Meta
    message_id: str = ""
    receive_count: int = 1
    remaining: Callable[[], float] = field(default=_for_ever, compare=False)


def envelope_of(record: Record) -> tuple[str, Mapping[str, Any]]:
    """Detail-type and detail of the EventBridge envelope in an SQS record; MalformedMessage."""
    try:
        body = _loads(record["body"])
        detail_type, detail = body["detail-type"], body["detail"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise MalformedMessage(f"not an event envelope: {error!r}") from error
    if not isinstance(detail_type, str) or not isinstance(detail, dict):
        raise MalformedMessage("not an event envelope: detail-type is no text, or detail is no object")
    return detail_type, detail


def _loads(text: str) -> Any:
    """JSON as everybody else has it: Python alone takes NaN, and halves of characters that nobody can write again."""
    body = json.loads(text, parse_constant=_no_number)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(body, ensure_ascii=False).encode()
    return body


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def is_replay(record: Record) -> bool:
    """Whether EventBridge's archive has sent this once more; what is no envelope is none of its."""
    if '"replay-name"' not in record["body"]:
        return False
    try:
        body = json.loads(record["body"])
    except (ValueError, RecursionError):
        return False
    return isinstance(body, dict) and "replay-name" in body


def read_event(detail_type: str, detail: Mapping[str, Any], *, blobs: Blobs) -> tuple[Meta, Event]:
    """The event in a detail, fetched from the bucket where it was too big; MalformedMessage and the errors of fetch."""
    model = EVENTS.get(detail_type)
    if model is None:
        raise MalformedMessage(f"unknown event type {detail_type[:100]!r}")
    try:
        envelope = Envelope.model_validate(detail)
        if (envelope.data is None) == (envelope.data_ref is None):
            raise MalformedMessage(f"{detail_type}: there must be either data or data_ref")
        if envelope.data_ref is not None:
            return envelope.meta, model.model_validate_json(fetch(blobs, envelope.data_ref))
        return envelope.meta, model.model_validate(envelope.data)
    except ValidationError as error:
        raise MalformedMessage(f"{detail_type}: {_first_problem(error)}") from error


def _first_problem(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"
