"""Reads the queue: events from the bus, and the bare request that the Scheduler sends."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from goalrunner_shared.entrypoint import Read
from goalrunner_events import ScanRequestedV1
from goalrunner_shared.bootstrap import Parts, event_reader, message_of
from goalrunner_shared.clock import floor_to_slot, parse_instant
from goalrunner_shared.errors import MalformedMessage
from goalrunner_shared.messages import Message, envelope_of, is_replay
from goalrunner_shared.publisher import meta_for


def scan_reader(parts: Parts, *, clock_is_fixed: bool) -> Read:
    """Like every service's reader; a request without `meta` comes from the Scheduler and gets its own here."""
    read_from_bus = event_reader(parts)

    def read(record: SQSRecord) -> Message[Any] | None:
        detail_type, detail = envelope_of(record.raw_event)
        if is_replay(record.raw_event) or not _is_scheduled(detail_type, detail):
            return read_from_bus(record)
        asked = _asked_for(detail)
        slot = asked or (parts.clock() if clock_is_fixed else _sent_at(record))
        event = ScanRequestedV1(slot=floor_to_slot(slot))
        return message_of(meta_for(event, cause=None, clock=parts.clock), event, record)

    return read


def _is_scheduled(detail_type: str, detail: Mapping[str, Any]) -> bool:
    return detail_type == ScanRequestedV1.TYPE and isinstance(detail, dict) and "meta" not in detail


def _asked_for(detail: Mapping[str, Any]) -> datetime | None:
    """The scheduled time; None where an emulator has left the placeholder as it was."""
    data = detail.get("data")
    if not isinstance(data, dict) or data.get("trigger") != "schedule":
        raise MalformedMessage("scan.requested.v1: neither an event nor what the schedule sends")
    try:
        return parse_instant(str(data.get("slot")))
    except ValueError:
        return None


def _sent_at(record: SQSRecord) -> datetime:
    sent = record.attributes.sent_timestamp
    if not sent:
        raise MalformedMessage("scan.requested.v1: the request has no slot and the record no SentTimestamp")
    return datetime.fromtimestamp(int(sent) / 1000, UTC)
