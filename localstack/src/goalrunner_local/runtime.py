"""The process that a function runs in: one JSON line in, one out, as Lambda's runtime does it over HTTP.

    python -m goalrunner_local.runtime goalrunner_planner.handler.handler

A line in is `{"event": …, "deadline": seconds since the epoch, "request_id": …}`, a line out `{"response": …}` or
`{"error": …}`. What the handler prints goes to standard error, so that it cannot be taken for an answer; what it reads
from standard input is empty, so that neither it nor a child of it takes the next line away.
"""

import importlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TextIO

Handler = Callable[[Mapping[str, Any], Any], Any]


@dataclass(frozen=True)
class Context:
    """What a handler may ask of the Lambda context."""

    function_name: str
    aws_request_id: str
    deadline: float
    memory_limit_in_mb: int = 256
    function_version: str = "$LATEST"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:local:000000000000:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the function is ended; never negative."""
        return max(0, int((self.deadline - time.time()) * 1000))


def load(name: str) -> Handler:
    """The handler that `package.module.attribute` names."""
    module, _, attribute = name.rpartition(".")
    handler: Handler = getattr(importlib.import_module(module), attribute)
    return handler


def serve(handler: Handler, *, function: str, lines: TextIO, answers: TextIO) -> None:
    """Handle line after line until there are no more."""
    for line in lines:
        call = json.loads(line)
        context = Context(function, call["request_id"], call["deadline"])
        answers.write(json.dumps(invoke(handler, call["event"], context)) + "\n")
        answers.flush()


def invoke(handler: Handler, event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """The handler's answer, or what it raised."""
    try:
        return {"response": handler(event, context)}
    except Exception as error:
        traceback.print_exc()
        return {"error": f"{type(error).__name__}: {error}"}


def _leave_when_orphaned(lifeline: int) -> None:
    while os.read(lifeline, 1):
        pass
    os._exit(1)


def main() -> None:
    """Serve the handler named on the command line over standard input and output."""
    lines, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    if lifeline := os.environ.pop("GOALRUNNER_LIFELINE", ""):
        threading.Thread(target=_leave_when_orphaned, args=(int(lifeline),), daemon=True).start()
    name = sys.argv[1]
    function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", name)
    serve(load(name), function=function, lines=lines, answers=answers)


if __name__ == "__main__":
    main()
