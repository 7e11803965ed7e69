"""The SQS entry point of every function: read, route, report what failed."""

import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from random import random
from typing import Any

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from goalrunner_shared.errors import MalformedMessage, TransientError
from goalrunner_shared.messages import Message

Read = Callable[[SQSRecord], Message[Any] | None]
Retry = Callable[[SQSRecord, BaseException], None]
Handler = Callable[[Mapping[str, Any], Any], Mapping[str, Any]]


@dataclass(frozen=True)
class Together:
    """A route that takes all messages of one kind in a batch at once; it handles them all or raises."""

    handle: Callable[[Sequence[Message[Any]]], None]


Route = Callable[[Message[Any]], None] | Together
Routes = Mapping[type, Route]


@dataclass(frozen=True)
class App:
    """What a function consists of once it is composed.

    `read` turns a record into a message (None: to be acknowledged unread), `routes` says who handles which body,
    `retry` is told of every record that failed.
    """

    read: Read
    routes: Routes
    retry: Retry
    logger: Logger


class RoutedBatch(BatchProcessor):
    """Powertools' partial batch, with records grouped by route."""

    def __init__(self, app: App, context: Any) -> None:
        super().__init__(EventType.SQS, raise_on_entire_batch_failure=False)
        self._app = app
        self._context = context

    def process(self) -> list[tuple[Any, ...]]:
        """Handle every record; what is left in the queue is in the response."""
        groups: dict[type, list[tuple[SQSRecord, Message[Any]]]] = defaultdict(list)
        results = []
        for raw in self.records:
            record = SQSRecord(raw)
            try:
                message = self._app.read(record)
                if message is None:
                    results.append(self.success_handler(record, None))
                else:
                    groups[self._known(message)].append((record, replace(message, remaining=self._remaining)))
            except Exception:
                results.append(self._failed(record))
        for kind, group in groups.items():
            results.extend(self._handle(self._app.routes[kind], group))
        return results

    def _remaining(self) -> float:
        return float(self._context.get_remaining_time_in_millis()) / 1000

    def _known(self, message: Message[Any]) -> type:
        kind = type(message.body)
        if kind not in self._app.routes:
            raise MalformedMessage(f"nothing here handles a {kind.__name__}")
        return kind

    def _handle(self, route: Route, group: list[tuple[SQSRecord, Message[Any]]]) -> list[tuple[Any, ...]]:
        if isinstance(route, Together) and len(group) > 1:
            try:
                route.handle([message for _, message in group])
                return [self.success_handler(record, None) for record, _ in group]
            except Exception:
                # One bad message must not drag the others along: each gets a try of its own.
                self._app.logger.warning("batch failed, handling one by one", exc_info=True)
        return [self._handle_one(route, record, message) for record, message in group]

    def _handle_one(self, route: Route, record: SQSRecord, message: Message[Any]) -> tuple[Any, ...]:
        try:
            if isinstance(route, Together):
                route.handle([message])
            else:
                route(message)
            return self.success_handler(record, None)
        except Exception:
            return self._failed(record)

    def _failed(self, record: SQSRecord) -> tuple[Any, ...]:
        kind, error, trace = sys.exc_info()
        assert kind is not None
        assert error is not None
        expected = isinstance(error, TransientError)
        fields = {"message_id": record.message_id, "error": str(error), "error_type": kind.__name__}
        self._app.logger.warning("message not handled", exc_info=not expected, extra=fields)
        try:
            self._app.retry(record, error)
        except Exception:
            # It only sets how soon: the record stays in the queue, and those that were handled must leave it.
            self._app.logger.warning("visibility not set", exc_info=True, extra={"message_id": record.message_id})
        return self.failure_handler(record, (kind, error, trace))


def sqs_handler(compose: Callable[[], App]) -> Handler:
    """The Lambda handler of a function; it is composed at the first event, not at import."""
    composed = cache(compose)

    def handler(event: Mapping[str, Any], context: Any) -> Mapping[str, Any]:
        app = composed()
        batch = RoutedBatch(app, context)
        with batch(records=event["Records"], handler=_unused):
            batch.process()
        return batch.response()

    return handler


def _unused(record: Any) -> None:
    """Powertools asks for a handler of single records; the routes take its place."""


def retry_soon(client: Callable[[], Any], *, longest: int = 300, chance: Callable[[], float] = random) -> Retry:
    """Make a failed record visible again after a backoff of seconds, not after the queue's whole visibility.

    The waits are 2, 6, 18 and 54 s, at most halved by chance: five tries outlast an outage of most of a minute, and the
    30 s for which a killed handler may block a key.
    """

    def retry(record: SQSRecord, error: BaseException) -> None:
        received = int(record.attributes.approximate_receive_count or 1)
        wait = min(2 * 3 ** min(received - 1, 10), longest) * (1 + chance()) / 2
        seconds = 0 if isinstance(error, MalformedMessage) else wait
        sqs = client()
        queue = sqs.get_queue_url(QueueName=record.event_source_arn.rpartition(":")[2])["QueueUrl"]
        sqs.change_message_visibility(
            QueueUrl=queue, ReceiptHandle=record.receipt_handle, VisibilityTimeout=round(seconds)
        )

    return retry
