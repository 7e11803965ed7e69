"""A worker is what Lambda's event source mapping is on AWS: it polls a queue and calls the function's handler.

The polling is done here, the handling in a process of its own (`lane.py`). When that process dies, its messages
are given back to the queue at once.
"""

import json
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from goalrunner_local.cloud import Cloud
from goalrunner_local.emulator import REGION
from goalrunner_local.lane import FunctionSpec, HandlerFailed, Runtime, RuntimeDied
from goalrunner_local.provision import queue_arn

POLL_SECONDS = 2
GRACE_SECONDS = 3.0
PAUSE_SECONDS = 0.5
LONGEST_BACKOFF = 30


def _not_handled(response: Any, messages: Sequence[Mapping[str, Any]]) -> set[str]:
    """Ids of the messages to be left, as Lambda reads a response (nothing said is success); HandlerFailed."""
    try:
        failed = {item["itemIdentifier"] for item in (response or {}).get("batchItemFailures") or ()}
    except (AttributeError, KeyError, TypeError):
        raise HandlerFailed(f"this is no batch response: {response!r}") from None
    if not failed <= {message["MessageId"] for message in messages}:
        raise HandlerFailed(f"the response names messages that were not in the batch: {sorted(map(str, failed))}")
    return failed


class Worker:
    """One lane of a function: poll, handle, delete what succeeded, leave what did not."""

    def __init__(self, cloud: Cloud, spec: FunctionSpec, *, longest_backoff: int = LONGEST_BACKOFF) -> None:
        self.spec = spec
        self._longest_backoff = longest_backoff
        self.runtime = Runtime(spec)
        self._sqs = cloud.client("sqs")
        self._stopping = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._thread = threading.Thread(target=self._run, name=spec.name, daemon=True)

    def start(self) -> None:
        """Begin to poll, in a thread of its own."""
        self._thread.start()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.poll_once()
            except Exception as error:
                # The lane must live on: the next poll finds what this one left.
                self._log(f"polling failed: {error!r}")
                if self._stopping.wait(PAUSE_SECONDS):
                    return

    def poll_once(self, wait: int = POLL_SECONDS) -> int:
        """Receive one batch and handle it; how many messages it had."""
        received = self._sqs.receive_message(
            QueueUrl=self.spec.queue_url,
            MaxNumberOfMessages=self.spec.batch,
            WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
        )
        messages = received.get("Messages", [])
        if messages:
            self._idle.clear()
            try:
                self._handle(messages)
            finally:
                self._idle.set()
        return len(messages)

    def _handle(self, messages: Sequence[Mapping[str, Any]]) -> None:
        if self._stopping.is_set():
            return self._give_back(messages)
        try:
            response = self.runtime.invoke({"Records": [self._record(message) for message in messages]})
            failed = _not_handled(response, messages)
        except (RuntimeDied, HandlerFailed) as trouble:
            self._log(str(trouble))
            return self._give_back(messages, backing_off=isinstance(trouble, HandlerFailed))
        self._delete([message for message in messages if message["MessageId"] not in failed])
        return None

    def _delete(self, messages: Sequence[Mapping[str, Any]]) -> None:
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self.spec.queue_url, Entries=entries)

    def _give_back(self, messages: Sequence[Mapping[str, Any]], *, backing_off: bool = False) -> None:
        # After a death the message is wanted at once; what a handler cannot do now it may be able to do later.
        for message in messages:
            received = int(message.get("Attributes", {}).get("ApproximateReceiveCount", 1))
            seconds = min(2**received, self._longest_backoff) if backing_off else 0
            self._sqs.change_message_visibility(
                QueueUrl=self.spec.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
            )

    def _log(self, text: str) -> None:
        with self.spec.log.open("a") as log:
            log.write(json.dumps({"level": "ERROR", "message": text}) + "\n")

    def _record(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn(self.spec.queue_url.rpartition("/")[2]),
            "awsRegion": REGION,
        }

    def stop(self) -> None:
        """Take no more messages; `finish` waits."""
        self._stopping.set()

    def finish(self, grace: float = GRACE_SECONDS) -> None:
        """Let the running handler end within `grace` seconds, else end it and give its messages back."""
        self._idle.wait(grace)
        self.runtime.stop()
        if self._thread.is_alive():
            self._thread.join(POLL_SECONDS + grace)
