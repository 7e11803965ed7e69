"""The process that a function runs in, spoken to over its pipes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from goalrunner_local.runtime import Context

SOURCE = """
import os, subprocess, sys, time

def echo(event, context):
    return {"got": event}

def noisy(event, context):
    print("printed")
    os.write(1, b"written\\n")
    subprocess.run(["echo", "said by a child"], check=True)
    return "quiet"

def strict(event, context):
    if event == "bad":
        raise ValueError("no such shelf")
    return "good"

def greedy(event, context):
    child = subprocess.run(["cat"], stdout=subprocess.PIPE, check=True).stdout
    return [child.decode(), sys.stdin.read()]

def about(event, context):
    return {
        "function": context.function_name,
        "request": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "remaining": context.get_remaining_time_in_millis(),
        "lifeline": os.environ.get("GOALRUNNER_LIFELINE"),
    }

def busy(event, context):
    with open(event, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(600)
"""

PARENT = """
import os, sys
from pathlib import Path
from goalrunner_local.lane import FunctionSpec, Runtime

spec = FunctionSpec("f", "tiny.busy", "", 600, 1, dict(os.environ), Path(sys.argv[1]))
Runtime(spec).invoke(sys.argv[2])
"""

Environment = dict[str, str]


@pytest.fixture
def environment(package_path: Callable[[str], Environment]) -> Environment:
    return package_path(SOURCE) | {"AWS_LAMBDA_FUNCTION_NAME": "goalrunner-shelf-run"}


class Talk:
    """A conversation with a runtime that goes on."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def say(self, event: Any, *, deadline: float = 0.0) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"event": event, "deadline": deadline, "request_id": "r-1"}) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


@contextmanager
def talking(handler: str, environment: Environment) -> Iterator[Talk]:
    command = [sys.executable, "-m", "goalrunner_local.runtime", f"tiny.{handler}"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment) as process:
        try:
            yield Talk(process)
        finally:
            process.kill()


def test_each_line_in_gives_one_line_out(environment: Environment) -> None:
    with talking("echo", environment) as talk:
        assert talk.say({"Records": [1]}) == {"response": {"got": {"Records": [1]}}}
        assert talk.say("§ and a\nline end") == {"response": {"got": "§ and a\nline end"}}


def test_an_exception_is_an_error_line_and_the_next_event_is_handled(environment: Environment) -> None:
    with talking("strict", environment) as talk:
        assert talk.say("bad") == {"error": "ValueError: no such shelf"}
        assert talk.say("good") == {"response": "good"}


def test_what_a_handler_or_its_child_prints_is_no_answer(environment: Environment) -> None:
    with talking("noisy", environment) as talk:
        assert talk.say(1) == {"response": "quiet"}
        assert talk.say(2) == {"response": "quiet"}


def test_neither_a_handler_nor_its_child_reads_the_next_event_away(environment: Environment) -> None:
    with talking("greedy", environment) as talk:
        assert talk.say(1) == {"response": ["", ""]}
        assert talk.say(2) == {"response": ["", ""]}


def test_the_runtime_ends_when_nobody_will_say_any_more(environment: Environment) -> None:
    command = [sys.executable, "-m", "goalrunner_local.runtime", "tiny.echo"]
    ended = subprocess.run(command, input="", capture_output=True, text=True, env=environment, check=True)
    assert ended.stdout == ""


def test_the_context_says_who_and_how_long(environment: Environment) -> None:
    with talking("about", environment) as talk:
        said = talk.say({}, deadline=time.time() + 100)["response"]
    assert said["function"] == "goalrunner-shelf-run"
    assert said["request"] == "r-1"
    assert said["arn"].endswith(":function:goalrunner-shelf-run")
    assert 80_000 < said["remaining"] <= 100_000


def test_the_remaining_time_is_never_negative() -> None:
    assert Context("f", "r", deadline=time.time() - 5).get_remaining_time_in_millis() == 0


def test_a_busy_runtime_leaves_when_its_parent_is_killed(
    environment: Environment, tmp_path: Path, until: Callable[..., None], is_alive: Callable[[int], bool]
) -> None:
    note = tmp_path / "pid"
    command = [sys.executable, "-c", PARENT, str(tmp_path / "log"), str(note)]
    with subprocess.Popen(command, env=environment) as parent:
        until(lambda: note.exists() and note.read_text())
        child = int(note.read_text())
        assert is_alive(child)
        os.kill(parent.pid, signal.SIGKILL)
    until(lambda: not is_alive(child))


def test_the_handler_does_not_see_the_lifeline(environment: Environment) -> None:
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "goalrunner_local.runtime", "tiny.about"]
    call = json.dumps({"event": {}, "deadline": 0, "request_id": "r"}) + "\n"
    given = environment | {"GOALRUNNER_LIFELINE": str(reading)}
    ended = subprocess.run(
        command, input=call, capture_output=True, text=True, env=given, check=True, pass_fds=(reading,)
    )
    os.close(reading)
    os.close(writing)
    assert json.loads(ended.stdout)["response"]["lifeline"] is None
