"""What a service costs before it handles its first message: CPU against `import boto3`, in fresh processes."""

import os
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterable

ROUNDS = 9
SERVICES = {
    "scanner": ("goalrunner_scanner.handler.handler", True),
    "planner": ("goalrunner_planner.handler.handler", True),
    "executor": ("goalrunner_executor.handler.handler", True),
    "notifier": ("goalrunner_notifier.handler.hear", False),
    "reporter": ("goalrunner_reporter.handler.report", True),
}
COMPOSE = """
import importlib
module, _, name = "{handler}".rpartition(".")
handler = getattr(importlib.import_module(module), name)
handler({{"Records": []}}, None)
"""
FIRST_CLIENT = """
from goalrunner_shared.aws import client
client("dynamodb")
"""
GIT = "import git\n"
ENVIRONMENT = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "GOALRUNNER_BUS": "bus",
    "GOALRUNNER_BUCKET": "bucket",
    "GOALRUNNER_TABLE": "table",
    "GOALRUNNER_REPOSITORY": "/nowhere.git",
    "GOALRUNNER_MIRROR": "/nowhere/mirror.git",
    "GOALRUNNER_CHANNEL": "terminal",
    "GOALRUNNER_TERMINAL": "/nowhere/terminal",
    "GOALRUNNER_STATE_MACHINE": "arn:aws:states:us-east-1:000000000000:stateMachine:m",
    "GOALRUNNER_DELIVER_QUEUE": "arn:aws:sqs:us-east-1:000000000000:q",
    "GOALRUNNER_SCHEDULER_ROLE": "arn:aws:iam::000000000000:role/r",
}


def cases() -> dict[str, str]:
    """Name → program."""
    found = {"import boto3": "import boto3\n", "pass": "pass\n", "import anthropic": "import anthropic\n"}
    for service, (handler, touches_git) in SERVICES.items():
        composed = COMPOSE.format(handler=handler)
        found[f"{service}: composed"] = composed
        found[f"{service}: with its first client"] = composed + FIRST_CLIENT
        if touches_git:
            found[f"{service}: with client and git"] = composed + FIRST_CLIENT + GIT
    return found


def measure(programs: dict[str, str], rounds: int = ROUNDS) -> dict[str, float]:
    """Median CPU seconds of each program, the programs interleaved; the first round only warms the byte code."""
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for number in range(rounds + 1):
        for name, program in programs.items():
            seconds = cpu_of([sys.executable, "-c", program])
            if number:
                taken[name].append(seconds)
    return {name: statistics.median(values) for name, values in taken.items()}


def cpu_of(command: Iterable[str]) -> float:
    """User and system seconds of a command and its children."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(list(command), check=True, env=environment | ENVIRONMENT, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print the table."""
    medians = measure(cases())
    unit = medians["import boto3"]
    print(f"cold start: CPU as a multiple of import boto3 ({unit * 1000:.0f} ms here), medians of {ROUNDS}")
    for name, seconds in medians.items():
        print(f"  {name:<34} {seconds / unit:5.2f}x")
