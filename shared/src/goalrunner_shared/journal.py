"""The journal: every event of an attempt (or a scan) in the bucket, one object each, put in order when it is read."""

import heapq
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from goalrunner_events import Envelope, Meta
from goalrunner_shared.blobs import Blobs
from goalrunner_shared.errors import MalformedMessage

FOLDER = "journal/"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")


@dataclass(frozen=True)
class JournalEntry:
    """One event as the bus delivered it: `envelope` is EventBridge's, whole; `meta` is read from its detail."""

    type: str
    meta: Meta
    envelope: Mapping[str, Any]

    @property
    def order(self) -> tuple[datetime, str]:
        """Where the entry stands among those that no causation puts in order."""
        return self.meta.occurred_at, self.meta.event_id


def journal_key(meta: Meta) -> str:
    """Where an event is kept, by correlation and event id; MalformedMessage where an id cannot be a name."""
    for name in (meta.correlation_id, meta.event_id):
        if not _NAME.fullmatch(name):
            raise MalformedMessage(f"{name!r} cannot name a journal entry")
    return f"{FOLDER}{meta.correlation_id}/{meta.event_id}.json"


def read_entry(content: bytes | str) -> JournalEntry:
    """The entry in an object's bytes, whatever its event type; MalformedMessage."""
    try:
        envelope = json.loads(content)
        return JournalEntry(envelope["detail-type"], Envelope.model_validate(envelope["detail"]).meta, envelope)
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise MalformedMessage(f"not an event envelope: {error!r}") from error


def read_journal(blobs: Blobs, correlation_id: str) -> list[JournalEntry]:
    """Everything that was said about an attempt, by causation, then by time, then by event id."""
    contents = (blobs.get(key) for key in blobs.keys(f"{FOLDER}{correlation_id}/"))
    return in_order([read_entry(content) for content in contents if content is not None])


def in_order(entries: Iterable[JournalEntry]) -> list[JournalEntry]:
    """No effect stands before its cause; else the earlier first. What causes itself in a circle comes last."""
    known = {entry.meta.event_id: entry for entry in entries}
    effects: dict[str, list[JournalEntry]] = defaultdict(list)
    ready: list[tuple[tuple[datetime, str], JournalEntry]] = []
    for entry in known.values():
        cause = entry.meta.causation_id
        if cause is not None and cause in known:
            effects[cause].append(entry)
        else:
            heapq.heappush(ready, (entry.order, entry))
    ordered: list[JournalEntry] = []
    while ready:
        entry = heapq.heappop(ready)[1]
        ordered.append(entry)
        for effect in effects.pop(entry.meta.event_id, ()):
            heapq.heappush(ready, (effect.order, effect))
    return ordered + sorted((entry for circle in effects.values() for entry in circle), key=lambda entry: entry.order)
