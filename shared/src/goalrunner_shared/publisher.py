"""How an event gets onto the bus, with its `meta` filled in from the message that caused it."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from goalrunner_events import MAX_HOPS, Envelope, Event, Meta
from goalrunner_shared.aws import trouble_is_transient
from goalrunner_shared.blobs import Blobs, store
from goalrunner_shared.clock import Clock
from goalrunner_shared.errors import PermanentError, TransientError
from goalrunner_shared.messages import read_event

MAX_DATA_BYTES = 200_000
MAX_ENTRIES = 10
MAX_CALL_BYTES = 900_000


class Publisher(Protocol):
    """The way onto the bus."""

    def publish(self, *events: Event, cause: Meta | None) -> None:
        """Put the events on the bus, in order, all or an error; TransientError, PermanentError after too many hops."""


def meta_for(event: Event, *, cause: Meta | None, clock: Clock) -> Meta:
    """The `meta` of an event that is made because of `cause` (None: nothing before it)."""
    event_id = event.event_id()
    hops = (cause.hops if cause else 0) + event.hop()
    if hops > MAX_HOPS:
        raise PermanentError(f"{event.TYPE}: more than {MAX_HOPS} attempts have caused one another")
    return Meta(
        event_id=event_id,
        correlation_id=event.correlation() or (cause.correlation_id if cause else event_id),
        causation_id=cause.event_id if cause else None,
        hops=hops,
        occurred_at=clock(),
        trace_id=cause.trace_id if cause and cause.trace_id else event_id,
    )


def seal(event: Event, *, meta: Meta, blobs: Blobs) -> str:
    """The event's `detail` as JSON; data over 200 KB goes to the bucket and is referred to."""
    data = event.model_dump_json()
    if len(data.encode()) <= MAX_DATA_BYTES:
        return f'{{"meta":{meta.model_dump_json()},"data":{data}}}'
    # The content is part of the name: a repeated scan says more under the same id, and the first copy must stay whole.
    digest = hashlib.sha256(data.encode()).hexdigest()[:12]
    ref = store(blobs, f"events/{event.TYPE}/{meta.event_id}-{digest}.json", data.encode())
    return Envelope(meta=meta, data_ref=ref).model_dump_json(exclude={"data"})


class EventBridgePublisher:
    """Publishes to one bus; `client` is called when first needed."""

    def __init__(self, *, bus: str, client: Callable[[], Any], blobs: Blobs, clock: Clock) -> None:
        self._bus = bus
        self._client = client
        self._blobs = blobs
        self._clock = clock

    def publish(self, *events: Event, cause: Meta | None) -> None:
        entries = [self._entry(event, cause) for event in events]
        for batch in _batches(entries):
            self._put(batch)

    def _entry(self, event: Event, cause: Meta | None) -> dict[str, str]:
        meta = meta_for(event, cause=cause, clock=self._clock)
        detail = seal(event, meta=meta, blobs=self._blobs)
        return {"EventBusName": self._bus, "Source": event.SOURCE, "DetailType": event.TYPE, "Detail": detail}

    def _put(self, entries: Sequence[dict[str, str]]) -> None:
        with trouble_is_transient():
            answer = self._client().put_events(Entries=list(entries))
        if answer["FailedEntryCount"]:
            codes = {entry.get("ErrorCode") for entry in answer["Entries"] if entry.get("ErrorCode")}
            raise TransientError(f"the bus refused {answer['FailedEntryCount']} events: {codes}")


def _batches(entries: Sequence[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    batch: list[dict[str, str]] = []
    size = 0
    for entry in entries:
        weight = len(entry["Detail"].encode())
        if batch and (len(batch) == MAX_ENTRIES or size + weight > MAX_CALL_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += weight
    if batch:
        yield batch


class RecordingPublisher:
    """The fake: keeps what was published, sealed and opened again as the bus would deliver it."""

    def __init__(self, *, clock: Clock, blobs: Blobs) -> None:
        self._clock = clock
        self._blobs = blobs
        self.published: list[tuple[Meta, Event]] = []

    def publish(self, *events: Event, cause: Meta | None) -> None:
        metas = [meta_for(event, cause=cause, clock=self._clock) for event in events]
        for event, meta in zip(events, metas, strict=True):
            detail = json.loads(seal(event, meta=meta, blobs=self._blobs))
            self.published.append(read_event(event.TYPE, detail, blobs=self._blobs))

    def of(self, kind: type[Event]) -> list[Any]:
        """The published events of one type, in order."""
        return [event for _, event in self.published if isinstance(event, kind)]
