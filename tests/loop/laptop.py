"""A laptop for a test: a goals repository, a state folder, a scripted model, and the real command."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SLOT = "2026-01-01T10:00Z"
# What a user of this machine has; SSL_CERT_FILE is for the package index, where the machine has one of its own.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE")
COMMAND = Path(sys.prefix) / "bin" / "goalrunner"
CHAOS = Path(__file__).with_name("chaos")
ANSWERS = {"How do you want to travel to Porto?": "by train"}


@dataclass
class Laptop:
    """Runs `goalrunner` on one repository and one state folder; `model` is the address of a model server."""

    repository: Path
    state: Path
    model: str | None = None
    chaos: Path | None = None
    extra: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """The environment of the command: this machine's, less everything that could leak in."""
        found = {name: os.environ[name] for name in KEPT if name in os.environ}
        if self.model:
            found |= {"ANTHROPIC_API_KEY": "sk-ant-test-offline", "ANTHROPIC_BASE_URL": self.model}
        if self.chaos:
            found["PYTHONPATH"] = str(self.chaos)
        return found | self.extra

    def words(self, *arguments: str) -> list[str]:
        """The command line for this repository and state."""
        place = ["--repo", str(self.repository), "--state", str(self.state)]
        return [str(COMMAND), *arguments, *([] if arguments[0] in ("lint", "demo") else place)]

    def call(self, *arguments: str, within: float = 120) -> subprocess.CompletedProcess[str]:
        """Run the command to its end, without a terminal."""
        return subprocess.run(
            self.words(*arguments),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command and leave it running, in a session of its own."""
        return subprocess.Popen(
            self.words(*arguments),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def once(self, *, slot: str = SLOT, within: float = 300) -> dict[str, dict[str, Any]]:
        """`up --once --json` on a fixed slot; goal → what the object says of it."""
        done = self.call("up", "--once", "--slot", slot, "--json", within=within)
        assert done.returncode in (0, 1), done.stderr
        goals = json.loads(done.stdout)["goals"]
        return {goal["id"]: goal for goal in goals}

    def to_the_end(self, *, slot: str = SLOT, rounds: int = 4) -> dict[str, dict[str, Any]]:
        """Run, answer what is asked, run again, until nothing waits."""
        for _ in range(rounds):
            goals = self.once(slot=slot)
            waiting = [
                question for goal in goals.values() if goal["outcome"] == "waiting" for question in open_of(goal)
            ]
            if not waiting:
                return goals
            for question in waiting:
                said = self.call("answer", question["id"], ANSWERS.get(question["text"], "yes"))
                assert said.returncode == 0, said.stderr
        raise AssertionError(f"still waiting after {rounds} rounds: {goals}")

    def git(self, *arguments: str) -> str:
        """What git says about the repository."""
        return subprocess.run(
            ["git", "-C", str(self.repository), *arguments], check=True, capture_output=True, text=True
        ).stdout.strip("\n")

    def plan_chaos(self, folder: Path, plan: Mapping[str, Any]) -> None:
        """Have the functions' processes record their side effects, or die before one."""
        folder.mkdir()
        shutil.copy(CHAOS / "sitecustomize.py", folder)
        (folder / "chaos.json").write_text(json.dumps(plan))
        self.chaos = folder


def open_of(goal: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The open questions of a goal in the `--json` object."""
    return [question for question in goal["questions"] if question["state"] == "open"]


def descendants(pid: int) -> list[int]:
    """A process and everything that came from it, whatever session it is in."""
    found, todo = [], [pid]
    while todo:
        each = todo.pop()
        found.append(each)
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            try:
                todo += [int(child) for child in task.read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue
    return found


def kill_everything(pid: int) -> None:
    """SIGKILL to a process and all of its descendants."""
    for each in descendants(pid):
        try:
            os.kill(each, signal.SIGKILL)
        except ProcessLookupError:
            continue


def attempt_commits(laptop: Laptop) -> dict[str, list[str]]:
    """Attempt id → the subjects of its commits, oldest first, from the trailers."""
    log = laptop.git("log", "--reverse", "--format=%(trailers:key=Attempt-Id,valueonly,separator=%x2C)%x09%s")
    found: dict[str, list[str]] = {}
    for line in log.splitlines():
        attempt, _, subject = line.partition("\t")
        if attempt:
            found.setdefault(attempt, []).append(subject)
    return found
