"""Looking at queues from outside: is anything still on its way, what has been given up."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from goalrunner_local.cloud import Cloud

COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def depth(cloud: Cloud, url: str) -> int:
    """How many messages a queue holds, those being handled and those delayed included."""
    found = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=list(COUNTS))["Attributes"]
    return sum(int(found.get(name, 0)) for name in COUNTS)


def all_empty(cloud: Cloud, urls: Iterable[str]) -> bool:
    """Whether none of the queues holds a message."""
    return not any(depth(cloud, url) for url in urls)


def take_bodies(cloud: Cloud, url: str, *, wait: int = 0) -> list[dict[str, Any]]:
    """Receive and delete up to ten messages; their bodies, read as JSON."""
    sqs = cloud.client("sqs")
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait).get("Messages", [])
    if messages:
        entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
        sqs.delete_message_batch(QueueUrl=url, Entries=entries)
    return [json.loads(message["Body"]) for message in messages]


def give_another_try(cloud: Cloud, *, dead: str, url: str) -> int:
    """Move everything in a dead-letter queue back to its queue; how much it was."""
    sqs = cloud.client("sqs")
    moved = 0
    for _ in range(depth(cloud, dead)):
        received = sqs.receive_message(QueueUrl=dead, MaxNumberOfMessages=1).get("Messages", [])
        for message in received:
            sqs.send_message(QueueUrl=url, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    return moved


def attempts_given_up(cloud: Cloud, dead: str) -> Iterator[str]:
    """The attempts that messages in a dead-letter queue belong to; the messages stay there."""
    for body in _look_at(cloud, dead):
        try:
            yield json.loads(body)["detail"]["meta"]["correlation_id"]
        except (ValueError, KeyError, TypeError):
            continue


def _look_at(cloud: Cloud, url: str) -> list[str]:
    """The bodies of all messages that can be had now; each is hidden until all were seen, and then left as it was."""
    sqs = cloud.client("sqs")
    seen: list[dict[str, Any]] = []
    while received := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=30).get("Messages"):
        seen += received
    for message in seen:
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    return [message["Body"] for message in seen]
