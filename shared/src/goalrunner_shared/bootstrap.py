"""The parts that every service is composed of, made from its settings."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from goalrunner_shared.entrypoint import App, Read, Routes, retry_soon
from goalrunner_events import Event, Meta
from goalrunner_shared.aws import client_of
from goalrunner_shared.blobs import Blobs, S3Blobs
from goalrunner_shared.clock import Clock
from goalrunner_shared.git.port import GoalsRepository
from goalrunner_shared.messages import Message, envelope_of, is_replay, read_event
from goalrunner_shared.publisher import EventBridgePublisher, Publisher
from goalrunner_shared.rows import DynamoRows, Rows
from goalrunner_shared.settings import RepositorySettings, Settings


@dataclass(frozen=True)
class Parts:
    """The ports that every service may use; a test fills them with the fakes."""

    publisher: Publisher
    rows: Rows
    blobs: Blobs
    clock: Clock
    logger: Logger


def parts_from(settings: Settings, *, service: str) -> Parts:
    """The real adapters; no client is made and nothing is asked before the first use."""
    clock = settings.make_clock()
    blobs = S3Blobs(settings.bucket, client_of("s3"))
    return Parts(
        publisher=EventBridgePublisher(bus=settings.bus, client=client_of("events"), blobs=blobs, clock=clock),
        rows=DynamoRows(settings.table, client_of("dynamodb")),
        blobs=blobs,
        clock=clock,
        logger=Logger(service=service),
    )


def repository_from(settings: RepositorySettings) -> GoalsRepository:
    """The goals repository behind its mirror."""
    from pathlib import Path

    from goalrunner_shared.git.mirror import GitRepository

    return GitRepository(
        remote=settings.repository,
        branch=settings.branch,
        mirror=Path(settings.mirror),
        author=settings.author,
    )


def event_app(parts: Parts, routes: Routes) -> App:
    """A function that hears events."""
    return App(read=event_reader(parts), routes=routes, retry=retry_soon(client_of("sqs")), logger=parts.logger)


def event_reader(parts: Parts) -> Read:
    """Reads the bus's envelope; what the archive replays is acknowledged and not handled."""

    def read(record: SQSRecord) -> Message[Any] | None:
        raw = record.raw_event
        if is_replay(raw):
            parts.logger.info("replayed event left alone", message_id=record.message_id)
            return None
        detail_type, detail = envelope_of(raw)
        meta, event = read_event(detail_type, detail, blobs=parts.blobs)
        return message_of(meta, event, record)

    return read


def message_of(meta: Meta, event: Event, record: SQSRecord) -> Message[Event]:
    """The message that a record delivers."""
    return Message(
        body=event,
        meta=meta,
        message_id=record.message_id,
        receive_count=int(record.attributes.approximate_receive_count or 1),
    )
