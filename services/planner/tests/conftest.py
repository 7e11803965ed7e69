"""A planner's world in memory, with deliveries to make and a fuse that kills it after any side effect."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools.logging import Logger

from goalrunner_shared.entrypoint import Together
from goalrunner_events import Event, GoalDueV1, Meta, Outcome, StepFinishedV1, StepResult, Trigger
from goalrunner_planner.compose import routes
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.git.fake import InMemoryRepository
from goalrunner_shared.goals.ids import attempt_id
from goalrunner_shared.messages import Message
from goalrunner_shared.publisher import RecordingPublisher
from goalrunner_shared.rows import InMemoryRows

NOW = datetime(2026, 1, 1, 10, 3, tzinfo=UTC)
SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)

GOAL = """\
---
id: {id}
title: Keep {id} in order
agent: {{engine: command, argv: [sh, -c, "make report"], timeout: 5m}}
budget: {{per_run_usd: 0.5}}
---
## Outcome
The shelf is tidy.

## Acceptance criteria
- [ ] AC1 Nothing lies on the floor

## Guidance
Begin at the top.
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

    def handle(self, *events: Event, fuse: Fuse | None = None, receive_count: int = 1) -> None:
        """Deliver events of one type as one batch."""
        fuse = fuse or Fuse(-1)
        parts = Parts(
            publisher=OneByOne(self.publisher, fuse),
            rows=Mortal(self.rows, fuse, "add", "replace"),
            blobs=Mortal(self.blobs, fuse, "put", "put_new"),
            clock=fixed_clock(NOW),
            logger=Logger(service="test", level="CRITICAL"),
        )
        route = routes(parts, repository=Mortal(self.repository, fuse, "write"))[type(events[0])]
        messages = [self.message(event, receive_count) for event in events]
        if isinstance(route, Together):
            route.handle(messages)
        else:
            for message in messages:
                route(message)

    def survive(self, *events: Event, fuse: Fuse) -> None:
        """Deliver a batch, and once more where it killed the process."""
        try:
            self.handle(*events, fuse=fuse)
        except Killed:
            self.handle(*events)

    def die(self, *events: Event, after: int) -> None:
        """Deliver a batch that kills the process after so many side effects."""
        with pytest.raises(Killed):
            self.handle(*events, fuse=Fuse(after))

    def message(self, event: Event, receive_count: int = 1) -> Message[Any]:
        event_id = event.event_id()
        meta = Meta(event_id=event_id, correlation_id=event.correlation() or event_id, occurred_at=NOW)
        return Message(event, meta, receive_count=receive_count)

    def tree(self) -> dict[str, bytes]:
        """Every file at the remote's tip."""
        tip = self.repository.fetch()
        found = {entry.path: self.repository.file(tip, entry.path) for entry in self.repository.entries(tip)}
        return {path: content for path, content in found.items() if content is not None}

    def contents(self) -> dict[str, set[str]]:
        """Event id → every content that was published under it."""
        said: dict[str, set[str]] = {}
        for meta, event in self.publisher.published:
            said.setdefault(meta.event_id, set()).add(f"{event.TYPE} {event.model_dump_json()}")
        return said

    def due(self, goal: str = "shelf", **changes: Any) -> GoalDueV1:
        """The event that the scanner would publish for the goal at the tip."""
        values = {
            "attempt": attempt_id(goal, SLOT, "schedule"),
            "goal": goal,
            "path": f"goals/{goal}.md",
            "commit": self.repository.tip,
            "slot": SLOT,
            "trigger": Trigger.SCHEDULE,
        }
        return GoalDueV1.model_validate(values | changes)

    def finished(self, goal: str = "shelf", outcome: Outcome = Outcome.DONE, **changes: Any) -> StepFinishedV1:
        """The event that the executor would publish for the goal's only step."""
        result = StepResult.model_validate({"step": "main", "outcome": outcome, "summary": "Tidied."} | changes)
        return StepFinishedV1(attempt=attempt_id(goal, SLOT, "schedule"), goal=goal, result=result)


def make_world(*goals: str, **files: bytes) -> World:
    contents = {f"goals/{goal}.md": GOAL.format(id=goal).encode() for goal in goals}
    return World(InMemoryRepository({"README.md": b"mine\n", **contents, **files}))


@pytest.fixture
def world() -> World:
    """One goal, `shelf`, of the command engine."""
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
