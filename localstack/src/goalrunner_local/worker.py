"""A worker is what Lambda's event source mapping is on AWS: it polls a queue and calls the function's handler.

The polling is done here, the handling in a process of its own (`runtime.py`), started at the first message. When that
process dies, its messages are given back to the queue at once.
"""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goalrunner_local.cloud import Cloud
from goalrunner_local.provision import queue_arn

POLL_SECONDS = 2
GRACE_SECONDS = 3.0


class RuntimeDied(Exception):
    """The function's process ended, or had to be ended, before it answered."""


@dataclass(frozen=True)
class FunctionSpec:
    """A function to be run: `queue` names its queue, `environment` is all its process gets."""

    name: str
    handler: str
    queue_url: str
    timeout: int
    batch: int
    environment: Mapping[str, str]
    log: Path


class Runtime:
    """The process of one lane; started when needed, replaced when dead."""

    def __init__(self, spec: FunctionSpec) -> None:
        self._spec = spec
        self._process: subprocess.Popen[str] | None = None
        self._lifeline: int | None = None
        self._guard = threading.Lock()

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process and process.poll() is None else None

    def invoke(self, event: Mapping[str, Any]) -> Any:
        """The handler's response; RuntimeDied where the process did not live to answer, or raised."""
        process = self._living()
        call = {"event": event, "deadline": time.time() + self._spec.timeout, "request_id": str(uuid.uuid4())}
        alarm = threading.Timer(self._spec.timeout, process.kill)
        alarm.start()
        try:
            line = self._exchange(process, json.dumps(call))
        finally:
            alarm.cancel()
        # Half a line is an answer that the process did not live to finish.
        if not line.endswith("\n"):
            self.stop()
            raise RuntimeDied(f"{self._spec.name} died while it was handling a message")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeDied(f"{self._spec.name}: {answer['error']}")
        return answer["response"]

    def _exchange(self, process: subprocess.Popen[str], call: str) -> str:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(call + "\n")
            process.stdin.flush()
            return process.stdout.readline()
        except (BrokenPipeError, ValueError):
            return ""

    def _living(self) -> subprocess.Popen[str]:
        with self._guard:
            if self._process is None or self._process.poll() is not None:
                self._discard()
                self._process = self._start()
            return self._process

    def _start(self) -> subprocess.Popen[str]:
        # The read end tells the child when this process is gone, whatever it is busy with then.
        reading, self._lifeline = os.pipe()
        environment = dict(self._spec.environment, GOALRUNNER_LIFELINE=str(reading))
        try:
            with self._spec.log.open("a") as log:
                return subprocess.Popen(
                    [sys.executable, "-m", "goalrunner_local.runtime", self._spec.handler],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    text=True,
                    env=environment,
                    pass_fds=(reading,),
                    start_new_session=True,
                )
        finally:
            os.close(reading)

    def stop(self) -> None:
        """End the process; what it was handling counts as not handled."""
        with self._guard:
            self._discard()

    def _discard(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                _close(stream)
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None


def _close(stream: Any) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return


def _not_handled(response: Any, messages: Sequence[Mapping[str, Any]]) -> set[str]:
    """Ids of the messages to be left, as Lambda reads a response: nothing said is success; RuntimeDied for nonsense."""
    try:
        failed = {item["itemIdentifier"] for item in (response or {}).get("batchItemFailures") or ()}
    except (AttributeError, KeyError, TypeError):
        raise RuntimeDied(f"this is no batch response: {response!r}") from None
    if not failed <= {message["MessageId"] for message in messages}:
        raise RuntimeDied(f"the response names messages that were not in the batch: {sorted(map(str, failed))}")
    return failed


class Worker:
    """One lane of a function: poll, handle, delete what succeeded, leave what did not."""

    def __init__(self, cloud: Cloud, spec: FunctionSpec) -> None:
        self.spec = spec
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
            except Exception:
                if self._stopping.wait(0.2):
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
        except RuntimeDied as death:
            with self.spec.log.open("a") as log:
                log.write(json.dumps({"level": "ERROR", "message": str(death)}) + "\n")
            return self._give_back(messages)
        self._delete([message for message in messages if message["MessageId"] not in failed])
        return None

    def _delete(self, messages: Sequence[Mapping[str, Any]]) -> None:
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            self._sqs.delete_message_batch(QueueUrl=self.spec.queue_url, Entries=entries)

    def _give_back(self, messages: Sequence[Mapping[str, Any]]) -> None:
        for message in messages:
            self._sqs.change_message_visibility(
                QueueUrl=self.spec.queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
            )

    def _record(self, message: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn(self.spec.queue_url.rpartition("/")[2]),
            "awsRegion": "us-east-1",
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
