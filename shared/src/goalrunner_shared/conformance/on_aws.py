"""What the real adapters need of an account before they can be held to the suites."""

import json
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any
from uuid import uuid4

from goalrunner_events import Event, Meta
from goalrunner_shared.blobs import S3Blobs
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.conformance.publisher import NOW
from goalrunner_shared.messages import envelope_of, read_event
from goalrunner_shared.publisher import EventBridgePublisher
from goalrunner_shared.rows import DynamoRows

Clients = Callable[[str], Any]

BOUND = 20.0


def new_blobs(clients: Clients) -> S3Blobs:
    """Objects of a new bucket."""
    s3, name = clients("s3"), f"bench-{uuid4()}"
    s3.create_bucket(Bucket=name)
    return S3Blobs(name, lambda: s3)


def new_rows(clients: Clients) -> DynamoRows:
    """Rows of a new table."""
    dynamodb, name = clients("dynamodb"), f"bench-{uuid4()}"
    dynamodb.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
    )
    return DynamoRows(name, lambda: dynamodb)


class AwsBus:
    """A new bus whose every event of ours goes to a queue."""

    def __init__(self, clients: Clients) -> None:
        self._sqs, events, name = clients("sqs"), clients("events"), f"bench-{uuid4()}"
        self.blobs = new_blobs(clients)
        events.create_event_bus(Name=name)
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        pattern = json.dumps({"source": [{"prefix": "goalrunner."}]})
        events.put_rule(Name="all", EventBusName=name, EventPattern=pattern)
        target = {"Id": "queue", "Arn": asked["Attributes"]["QueueArn"]}
        events.put_targets(Rule="all", EventBusName=name, Targets=[target])
        self._events, self._name = events, name

    @cached_property
    def publisher(self) -> EventBridgePublisher:
        return EventBridgePublisher(
            bus=self._name, client=lambda: self._events, blobs=self.blobs, clock=fixed_clock(NOW)
        )

    def delivered(self, count: int) -> Sequence[tuple[Meta, Event]]:
        """The events in the queue once there are `count` of them and no more come; AssertionError otherwise."""
        found: list[tuple[Meta, Event]] = []
        until = time.monotonic() + BOUND
        while len(found) < count and time.monotonic() < until:
            found += self._received(wait=1)
        found += self._received(wait=0)
        assert len(found) == count, f"{len(found)} events instead of {count}"
        return found

    def _received(self, *, wait: int) -> list[tuple[Meta, Event]]:
        asked = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=wait)
        found = []
        for message in asked.get("Messages", ()):
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
            found.append(read_event(*envelope_of({"body": message["Body"]}), blobs=self.blobs))
        return found
