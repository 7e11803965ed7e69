"""The process that a function's lane runs in: started at the first message, replaced when dead."""

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class RuntimeDied(Exception):
    """The function's process ended, or had to be ended, before it answered."""


class HandlerFailed(Exception):
    """The function's process lives, but its handler raised, or answered with nonsense."""


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
        """The handler's response; RuntimeDied, HandlerFailed."""
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
            raise HandlerFailed(f"{self._spec.name}: {answer['error']}")
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
