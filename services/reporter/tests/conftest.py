"""A reporter's world in memory, with endings to report and a fuse that kills it after any side effect."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools.logging import Logger

from goalrunner_events import AttemptFinishedV1, Event, Meta, Outcome, StepResult, Trigger
from goalrunner_reporter.compose import routes
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.git.fake import InMemoryRepository
from goalrunner_shared.goals.attempts import AttemptFile, attempt_path, parse_attempt, render_attempt
from goalrunner_shared.goals.ids import attempt_id
from goalrunner_shared.goals.parse import parse_goal
from goalrunner_shared.goals.state import GoalState
from goalrunner_shared.messages import Message
from goalrunner_shared.publisher import RecordingPublisher
from goalrunner_shared.rows import InMemoryRows

NOW = datetime(2026, 1, 9, 10, 3, tzinfo=UTC)
SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)

GOAL = """\
---
id: {id}
title: Keep {id} in order
schedule: {{every: 24h}}
---
## Outcome
The shelf is tidy.
"""


class Killed(BaseException):
    """What SIGKILL is to a process."""


class Fuse:
    """Burns down with each side effect that has happened, and kills at the last."""

    def __init__(self, effects: int) -> None:
        self.left = effects

    @property
    def blown(self) -> bool:
        return self.left == 0

    def burn(self) -> None:
        if self.left > 0:
            self.left -= 1
            if self.blown:
                raise Killed


class Mortal:
    """A port whose `effects` burn the fuse once they have happened."""

    def __init__(self, port: Any, fuse: Fuse, *effects: str) -> None:
        self._port, self._fuse, self._effects = port, fuse, effects

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name not in self._effects:
            return method

        def acting(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            self._fuse.burn()
            return result

        return acting


class OneByOne:
    """A publisher that can die between the events of one call."""

    def __init__(self, publisher: RecordingPublisher, fuse: Fuse) -> None:
        self._publisher, self._fuse = publisher, fuse

    def publish(self, *events: Event, cause: Meta | None) -> None:
        for event in events:
            self._publisher.publish(event, cause=cause)
            self._fuse.burn()


@dataclass
class World:
    """Everything that outlives a process."""

    repository: InMemoryRepository
    blobs: InMemoryBlobs = field(default_factory=InMemoryBlobs)
    rows: InMemoryRows = field(default_factory=InMemoryRows)
    publisher: RecordingPublisher = field(init=False)

    def __post_init__(self) -> None:
        self.publisher = RecordingPublisher(clock=fixed_clock(NOW), blobs=self.blobs)

    def parts(self, fuse: Fuse) -> Parts:
        return Parts(
            publisher=OneByOne(self.publisher, fuse),
            rows=Mortal(self.rows, fuse, "add", "replace"),
            blobs=Mortal(self.blobs, fuse, "put", "put_new"),
            clock=fixed_clock(NOW),
            logger=Logger(service="test", level="CRITICAL"),
        )

    def handle(self, *events: Event, fuse: Fuse | None = None) -> None:
        """Deliver endings as one batch."""
        fuse = fuse or Fuse(-1)
        table = routes(self.parts(fuse), repository=Mortal(self.repository, fuse, "write"))
        table[AttemptFinishedV1].handle([self.message(event) for event in events])  # type: ignore[union-attr]

    def survive(self, *events: Event, fuse: Fuse) -> None:
        """Deliver a batch, and once more where it killed the process."""
        try:
            self.handle(*events, fuse=fuse)
        except Killed:
            self.handle(*events)

    def message(self, event: Event) -> Message[Any]:
        event_id = event.event_id()
        return Message(event, Meta(event_id=event_id, correlation_id=event_id, occurred_at=NOW))

    def plan(self, goal: str = "shelf", day: int = 0, run: int = 0) -> str:
        """The attempt of a day as the planner leaves it; a second `run` in the same slot is a manual one."""
        slot = SLOT + timedelta(days=day)
        planned = AttemptFile(
            id=_attempt(goal, day, run),
            goal=goal,
            goal_commit=self.repository.tip,
            slot=slot,
            trigger="schedule",
            engine="command",
            planned_at=slot + timedelta(minutes=run),
            plan="Tidy up.",
        )
        self.repository.commit_elsewhere({attempt_path(planned.id): render_attempt(planned)})
        return planned.id

    def ended(
        self, goal: str = "shelf", day: int = 0, run: int = 0, outcome: str = "done", **result: Any
    ) -> AttemptFinishedV1:
        """The event that the planner would publish; `files` are the artefacts' contents by path."""
        slot = SLOT + timedelta(days=day)
        attempt = _attempt(goal, day, run)
        artifacts = [self.artifact(attempt, path, content) for path, content in result.pop("files", {}).items()]
        values = {"step": "main", "outcome": outcome, "summary": f"Day {day}.", "artifacts": artifacts} | result
        return AttemptFinishedV1(
            attempt=attempt,
            goal=goal,
            path=f"goals/{goal}.md",
            slot=slot,
            trigger=Trigger.SCHEDULE,
            outcome=Outcome(outcome),
            steps=(StepResult.model_validate(values),),
        )

    def artifact(self, attempt: str, path: str, content: bytes) -> dict[str, Any]:
        """A file as the executor leaves it in the bucket."""
        digest = hashlib.sha256(content).hexdigest()
        key = f"jobs/{attempt}/main/out/{digest}"
        self.blobs.put(key, content)
        return {"path": path, "blob": {"key": key, "sha256": digest, "bytes": len(content)}}

    def tree(self) -> dict[str, bytes]:
        """Every file at the remote's tip."""
        tip = self.repository.fetch()
        found = {entry.path: self.repository.file(tip, entry.path) for entry in self.repository.entries(tip)}
        return {path: content for path, content in found.items() if content is not None}

    def state(self, goal: str = "shelf", path: str | None = None) -> GoalState:
        """The goal's state block at the tip."""
        path = path or f"goals/{goal}.md"
        return parse_goal(path, self.tree()[path]).state or GoalState()

    def attempt(self, attempt: str) -> AttemptFile:
        """An attempt's file at the tip."""
        return parse_attempt(self.tree()[attempt_path(attempt)])

    def contents(self) -> dict[str, set[str]]:
        """Event id → every content that was published under it."""
        said: dict[str, set[str]] = {}
        for meta, event in self.publisher.published:
            said.setdefault(meta.event_id, set()).add(f"{event.TYPE} {event.model_dump_json()}")
        return said


def _attempt(goal: str, day: int, run: int) -> str:
    return attempt_id(goal, SLOT + timedelta(days=day), "manual" if run else "schedule", str(run) if run else "")


def make_world(*goals: str, **files: bytes) -> World:
    contents = {f"goals/{goal}.md": GOAL.format(id=goal).encode() for goal in goals}
    return World(InMemoryRepository({"README.md": b"mine\n", **contents, **files}))


@pytest.fixture
def world() -> World:
    """One goal, `shelf`, due every day."""
    return make_world("shelf")


@pytest.fixture(scope="session")
def worlds() -> Any:
    """Makes a world with the goals named."""
    return make_world


@pytest.fixture(scope="session")
def deaths() -> Any:
    """Runs `act(fuse)` again and again, killed after the first, second, ... side effect, until nothing kills it."""

    def run(act: Callable[[Fuse], None]) -> Iterator[int]:
        for effects in range(1, 100):
            fuse = Fuse(effects)
            act(fuse)
            if not fuse.blown:
                return
            yield effects
        raise AssertionError("it never ends")

    return run
