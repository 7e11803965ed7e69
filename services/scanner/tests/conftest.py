"""A scanner's world in memory, with deliveries to make and a fuse that kills it after any side effect."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from aws_lambda_powertools.logging import Logger

from goalrunner_shared.entrypoint import Together
from goalrunner_events import (
    Event,
    GoalDueV1,
    GoalRejectedV1,
    GoalStanding,
    Meta,
    Outcome,
    ResultReportedV1,
    ScanCompletedV1,
    ScanRequestedV1,
)
from goalrunner_scanner.compose import routes
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.git.fake import InMemoryRepository
from goalrunner_shared.goals.attempts import AttemptFile, attempt_path, render_attempt
from goalrunner_shared.goals.ids import split_attempt_id
from goalrunner_shared.goals.state import GoalState, read_state, with_state
from goalrunner_shared.messages import Message
from goalrunner_shared.publisher import RecordingPublisher
from goalrunner_shared.rows import InMemoryRows

NOW = datetime(2026, 1, 1, 10, 3, tzinfo=UTC)
SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)
ENGINES = ("command",)


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


def goal_file(name: str, *lines: str, body: str = "") -> bytes:
    """A goal of the command engine, every 24 hours unless `lines` say otherwise."""
    keys = [f"id: {name}", f"title: Keep {name} in order", 'agent: {engine: command, argv: [sh, -c, "true"]}', *lines]
    if not any(line.startswith("schedule:") for line in lines):
        keys.append("schedule: {every: 24h}")
    front = "\n".join(keys)
    return f"---\n{front}\n---\n## Outcome\nOrder.\n{body}".encode()


@dataclass
class World:
    """Everything that outlives a process; `fresh` makes each delivery one of a new process."""

    repository: InMemoryRepository
    fresh: bool = False
    engines: Sequence[str] = ENGINES
    blobs: InMemoryBlobs = field(default_factory=InMemoryBlobs)
    rows: InMemoryRows = field(default_factory=InMemoryRows)
    publisher: RecordingPublisher = field(init=False)
    _routes: Any = None

    def __post_init__(self) -> None:
        self.publisher = RecordingPublisher(clock=fixed_clock(NOW), blobs=InMemoryBlobs())

    def routes(self, fuse: Fuse | None = None) -> Any:
        """The routes of the process that lives now."""
        if self._routes is None or self.fresh or fuse is not None:
            parts = self.parts(fuse or Fuse(-1))
            self._routes = routes(parts, repository=self.repository, engines=self.engines)
        return self._routes

    def parts(self, fuse: Fuse | None = None) -> Parts:
        """The ports, each side effect of which burns the fuse."""
        fuse = fuse or Fuse(-1)
        return Parts(
            publisher=OneByOne(self.publisher, fuse),
            rows=Mortal(self.rows, fuse, "add", "replace"),
            blobs=Mortal(self.blobs, fuse, "put", "put_new"),
            clock=fixed_clock(NOW),
            logger=Logger(service="test", level="CRITICAL"),
        )

    def handle(self, *events: Event, fuse: Fuse | None = None, hops: int = 0) -> None:
        """Deliver events of one type as one batch."""
        route = self.routes(fuse)[type(events[0])]
        messages = [self.message(event, hops) for event in events]
        if isinstance(route, Together):
            route.handle(messages)
        else:
            for message in messages:
                route(message)

    def survive(self, *events: Event, fuse: Fuse) -> None:
        """Deliver a batch, and once more to a new process where it killed the process."""
        try:
            self.handle(*events, fuse=fuse)
        except Killed:
            self._routes = None
            self.handle(*events)

    def message(self, event: Event, hops: int = 0) -> Message[Any]:
        event_id = event.event_id()
        meta = Meta(event_id=event_id, correlation_id=event.correlation() or event_id, occurred_at=NOW, hops=hops)
        return Message(event, meta)

    def scan(self, slot: datetime = SLOT) -> dict[str, GoalStanding]:
        """A scheduled scan; how each goal file stands, by path."""
        self.handle(ScanRequestedV1(slot=slot))
        return self.standings()

    def run(self, goal: str, request_id: str = "r1", slot: datetime | None = SLOT) -> dict[str, GoalStanding]:
        """Somebody asks for one goal."""
        self.handle(ScanRequestedV1(slot=slot, goal=goal, trigger="manual", request_id=request_id))
        return self.standings()

    def standings(self) -> dict[str, GoalStanding]:
        """What the newest scan said."""
        completed: list[ScanCompletedV1] = self.publisher.of(ScanCompletedV1)
        return {standing.path: standing for standing in completed[-1].goals}

    def dues(self) -> list[GoalDueV1]:
        """Each goal.due that was published, once, in order."""
        return list({event.event_id(): event for event in self.publisher.of(GoalDueV1)}.values())

    def rejections(self) -> list[GoalRejectedV1]:
        """Every goal.rejected that was published."""
        return self.publisher.of(GoalRejectedV1)

    def contents(self) -> dict[str, set[str]]:
        """Event id → every content that was published under it, but for scan.completed, which is a view."""
        said: dict[str, set[str]] = {}
        for meta, event in self.publisher.published:
            if not isinstance(event, ScanCompletedV1):
                said.setdefault(meta.event_id, set()).add(f"{event.TYPE} {event.model_dump_json()}")
        return said

    def plan(self, due: GoalDueV1, status: str = "planned") -> None:
        """What the planner commits (and the reporter, with another status)."""
        attempt = AttemptFile.model_validate(
            {
                "id": due.attempt,
                "goal": due.goal,
                "goal_commit": due.commit,
                "slot": due.slot,
                "trigger": due.trigger.value,
                "status": status,
                "planned_at": NOW,
            }
        )
        self.repository.commit_elsewhere({attempt_path(due.attempt): render_attempt(attempt)})

    def report(self, due: GoalDueV1, outcome: str = "done") -> ResultReportedV1:
        """What the reporter commits, and the event that it would publish then (not yet delivered)."""
        self.plan(due, status=outcome)
        content = self.repository.file(self.repository.tip, due.path)
        if content is not None:
            before = read_state(content) or GoalState()
            if before.slot is None or before.slot <= due.slot:
                state = GoalState(
                    last_attempt=due.attempt, slot=due.slot, outcome=outcome, attempts=before.attempts + 1
                )
                self.repository.commit_elsewhere({due.path: with_state(content, state)})
        return ResultReportedV1(
            attempt=due.attempt,
            goal=split_attempt_id(due.attempt).goal,
            slot=due.slot,
            outcome=Outcome(outcome),
            commit=self.repository.tip,
        )


def make_world(goals: Mapping[str, bytes] | None = None, **options: Any) -> World:
    """A repository with these goal files (`goals/<name>.md`, or any path that has a slash)."""
    files = {name if "/" in name else f"goals/{name}.md": content for name, content in (goals or {}).items()}
    return World(InMemoryRepository({"README.md": b"mine\n", **files}), **options)


@pytest.fixture(scope="session")
def worlds() -> Any:
    """Makes a world with the goal files given."""
    return make_world


@pytest.fixture(scope="session")
def goal() -> Any:
    """Makes a goal file."""
    return goal_file


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
