"""What a scan of 10,000 goals costs: CPU of this process and its children, as medians of interleaved rounds.

Full: nothing is remembered. Incremental: a new process state, its memory loaded from the bucket, after a commit that
changed 20 goals. Warm: the same process, after such a commit. Each with fetch, listing, decision and every event.
The limit that a full scan is held against is `ls-tree` + `cat-file --batch`, a regex, and PyYAML's CSafeLoader.
"""

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from aws_lambda_powertools.logging import Logger

from goalrunner_events import GoalDueV1, ScanCompletedV1, ScanRequestedV1
from goalrunner_scanner.compose import routes
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.git.mirror import GitRepository
from goalrunner_shared.messages import Message
from goalrunner_shared.publisher import EventBridgePublisher, meta_for
from goalrunner_shared.rows import InMemoryRows

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)
CHANGED = 20
_AUTHOR = "Bench <bench@example.org>"
_FRONT = re.compile(rb"---\r?\n(.*?)^---\r?$", re.DOTALL | re.MULTILINE)
_GOAL = """\
---
schema: goal/v1
id: {id}
title: Keep shelf {number} in order and say what is missing
status: active
priority: {priority}
schedule: {{every: 24h, around: "09:00", tz: Europe/Lisbon, catch_up: latest}}
deadline: 2027-03-01
depends_on: [{needs}]
agent: {{engine: claude-api, model: default, max_turns: 40, timeout: 12m}}
tools: [web_search, web_fetch, code_execution]
budget: {{per_run_usd: 0.50, per_day_usd: 1.00, total_usd: 20, on_exceed: ask}}
ask: {{timeout: 24h, on_timeout: block}}
notify: on_change
stop: {{max_attempts: 60, max_failures_in_row: 5, no_progress_runs: 5}}
labels: [home]
---
## Outcome
{text}

## Acceptance criteria
- [ ] AC1 A shortlist of at least 5 ads younger than 7 days, each with a link

## Constraints
Nothing is ordered. Revision {revision}.
<!-- goalrunner:state begin (written by reporter only) -->
last_attempt: {id}.{ran:%Y-%m-%dT%H%MZ}.3f2a1b
slot: {ran:%Y-%m-%dT%H:%M:%SZ}
outcome: progressed
spent_usd: 3.12
attempts: 7
<!-- goalrunner:state end -->
"""


def make_repository(folder: Path, goals: int) -> Path:
    """A packed bare repository with that many goals in a hundred folders, none of them due in SLOT."""
    remote = folder / "remote.git"
    _git(folder, "init", "-q", "--bare", "--initial-branch=main", str(remote))
    _commit(remote, {_path(number): _goal(number) for number in range(goals)})
    _git(remote, "repack", "-adq")
    return remote


def change_goals(remote: Path, *, goals: int, revision: int) -> None:
    """A commit that changes 20 goals, always the same, so that they are due."""
    numbers = range(0, goals, goals // CHANGED)
    changed = {_path(number): _goal(number, revision, ran=SLOT - timedelta(days=3)) for number in numbers}
    _commit(remote, changed, onto="refs/heads/main^0")


def _path(number: int) -> str:
    return f"goals/area{number % 10:02d}/team{number // 10 % 10:02d}/goal-{number:05d}.md"


def _goal(number: int, revision: int = 0, ran: datetime = SLOT - timedelta(hours=4)) -> bytes:
    text = " ".join(f"word{(number * 7919 + step * 104729) % 9973}" for step in range(150))
    needs = f"goal-{number - 1:05d}" if number % 10 == 9 else ""
    values = {"id": f"goal-{number:05d}", "number": number, "priority": number % 5 + 1, "needs": needs, "text": text}
    return _GOAL.format(**values, revision=revision, ran=ran).encode()


def _commit(remote: Path, files: dict[str, bytes], onto: str | None = None) -> None:
    stream = [b"commit refs/heads/main\ncommitter %s 1767225600 +0000\ndata 5\nGoals\n" % _AUTHOR.encode()]
    stream += [b"from %s\n" % onto.encode()] if onto else []
    for path, content in files.items():
        stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=remote, input=b"".join(stream), check=True)


class Bus:
    """EventBridge's client as far as the publisher needs it: counts the entries by type."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, int]:  # noqa: N803 (boto3's spelling)
        self.taken.update(entry["DetailType"] for entry in Entries)
        return {"FailedEntryCount": 0}


class Scanner:
    """A scanner with the real git and publisher on one mirror; `forget` starts the process's life anew.

    Tables and bucket are in memory, and the bus stops at its client: what is measured is ours.
    """

    def __init__(self, remote: Path, mirror: Path) -> None:
        self._repository = GitRepository(remote=str(remote), branch="main", mirror=mirror, author=_AUTHOR)
        self._blobs = InMemoryBlobs()
        self._routes: Any = None
        self._number = count()
        self._repository.fetch()

    def forget(self, *, bucket: bool) -> None:
        """Lose what the process remembers, and with `bucket` what lies in the bucket."""
        if bucket:
            self._blobs.objects.clear()
        clock, self._bus = fixed_clock(SLOT), Bus()
        publisher = EventBridgePublisher(bus="bench", client=lambda: self._bus, blobs=self._blobs, clock=clock)
        logger = Logger(service="bench", level="CRITICAL")
        parts = Parts(publisher=publisher, rows=InMemoryRows(), blobs=self._blobs, clock=clock, logger=logger)
        self._routes = routes(parts, repository=self._repository, engines=("claude-api",))

    def scan(self, *due: int) -> None:
        """One scan of the slot, in which as many goals must be due as one of `due` says."""
        event = ScanRequestedV1(slot=SLOT, request_id=str(next(self._number)))
        self._routes[ScanRequestedV1](Message(event, meta_for(event, cause=None, clock=fixed_clock(SLOT))))
        assert self._bus.taken[GoalDueV1.TYPE] in due
        assert self._bus.taken[ScanCompletedV1.TYPE] == 1
        self._bus.taken.clear()


def _raw(mirror: Path, goals: int) -> None:
    tree = _git(mirror, "ls-tree", "-r", "-z", "HEAD", "goals/").stdout
    blobs = b"\n".join(entry[12:52] for entry in tree.split(b"\0")[:-1]) + b"\n"
    command = ["git", "cat-file", "--batch"]
    listing = subprocess.run(command, cwd=mirror, input=blobs, stdout=subprocess.PIPE, check=True).stdout
    fronts = _FRONT.findall(listing)
    assert len([yaml.load(front, yaml.CSafeLoader) for front in fronts]) == goals


def measure(*, goals: int = 10_000, rounds: int = 5) -> dict[str, tuple[float, ...]]:
    """CPU seconds of each round by what was measured: raw, full, incremental, warm."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        remote = make_repository(folder, goals)
        raw = folder / "raw.git"
        _git(folder, "clone", "-q", "--bare", str(remote), str(raw))
        scanner = Scanner(remote, folder / "mirror.git")
        times: dict[str, list[float]] = {"raw": [], "full": [], "incremental": [], "warm": []}
        for number in range(rounds + 1):
            scanner.forget(bucket=True)
            works: list[tuple[str, Callable[[], None]]] = [
                ("raw", partial(_raw, raw, goals)),
                ("full", partial(scanner.scan, 0, CHANGED)),
            ]
            for name, work in works[:: 1 if number % 2 else -1]:
                times[name].append(_cpu(work))
            for name in ("incremental", "warm"):
                if name == "incremental":
                    scanner.forget(bucket=False)
                change_goals(remote, goals=goals, revision=2 * number + (name == "warm") + 1)
                times[name].append(_cpu(partial(scanner.scan, CHANGED if name == "incremental" else 0)))
        return {name: tuple(values[1:]) for name, values in times.items()}


def _cpu(work: Callable[[], None]) -> float:
    before = _spent()
    work()
    return _spent() - before


def _spent() -> float:
    usages = [getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _git(folder: Path, *args: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True)


def main(arguments: Sequence[str] = ()) -> None:
    """Print one line per ratio; the argument is the number of goals."""
    times = measure(goals=int(arguments[0]) if arguments else 10_000)
    for ours, limit, wanted in (("full", "raw", 1.2), ("incremental", "full", 0.06), ("warm", "full", 0.06)):
        ratio = median(a / b for a, b in zip(times[ours], times[limit], strict=True))
        milliseconds = f"{median(times[ours]) * 1000:.0f} ms against {median(times[limit]) * 1000:.0f} ms"
        print(f"{ours} scan against {limit}: {milliseconds} = {ratio:.3f}x (wanted at most {wanted}x)")


if __name__ == "__main__":
    main(sys.argv[1:])
