"""Put on the PYTHONPATH of a run: names every side effect of the functions' processes, and kills one before it.

`chaos.json` beside this file says what to do: `{"record": FILE}` appends a line for each effect, `{"kill": [FUNCTION,
EFFECT, NUMBER], "done": FILE}` ends the process with SIGKILL just before that effect, once. Since every effect is one
such line, a kill before the next effect is a kill after this one.
"""

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

TARGETS = {
    "PutEvents": "publish",
    "PutItem": "table write",
    "UpdateItem": "table write",
    "StartExecution": "start wait",
    "SendTaskSuccess": "settle wait",
    "SendTaskFailure": "settle wait",
    "SendTaskHeartbeat": "beat",
}


def _effect(event: str, arguments: tuple[Any, ...]) -> str | None:
    if event == "http.client.send" and isinstance(arguments[1], bytes):
        return _request(arguments[1])
    if event == "subprocess.Popen":
        words = [str(word) for word in arguments[1]]
        if "fast-import" in words:
            return "commit"
        return "push" if "push" in words else None
    if event == "open" and str(arguments[0]) == os.environ.get("GOALRUNNER_TERMINAL") and "a" in str(arguments[1]):
        return "send"
    return None


def _request(head: bytes) -> str | None:
    first, _, rest = head.partition(b"\r\n")
    for line in rest.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"x-amz-target":
            return TARGETS.get(value.decode().rpartition(".")[2])
    method, _, path = first.partition(b" ")
    if method == b"PUT" and path.startswith(b"/goalrunner/"):
        return "blob write"
    if method == b"POST" and path.startswith(b"/schedules/"):
        return "set alarm"
    return None


def _watch(plan: dict[str, Any], function: str) -> None:
    counts: Counter[str] = Counter()
    busy = False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy or event not in ("http.client.send", "subprocess.Popen", "open"):
            return
        busy = True
        try:
            effect = _effect(event, arguments)
            if effect is not None:
                counts[effect] += 1
                _act(plan, function, effect, counts[effect])
        finally:
            busy = False

    sys.addaudithook(hook)


def _act(plan: dict[str, Any], function: str, effect: str, number: int) -> None:
    if "record" in plan:
        with Path(plan["record"]).open("a") as record:
            record.write(json.dumps([function, effect, number]) + "\n")
    if plan.get("kill") == [function, effect, number] and not Path(plan["done"]).exists():
        Path(plan["done"]).touch()
        os.kill(os.getpid(), signal.SIGKILL)


_plan = Path(__file__).with_name("chaos.json")
_function = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
if _function and _plan.exists():
    _watch(json.loads(_plan.read_text()), _function)
