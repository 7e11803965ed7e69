"""A small world round the notifier: its ports' fakes, its queues, and a kill at any side effect."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from goalrunner_shared.entrypoint import Routes, Together
from goalrunner_events import AskPolicy, ClarificationRequestedV1, Event, Meta
from goalrunner_notifier.adapters.in_memory import InMemoryAlarms, InMemoryChannel, InMemoryWait
from goalrunner_notifier.compose import deliver_routes, hear_routes, updates_routes
from goalrunner_notifier.inbox import delivery_reader, update_reader
from goalrunner_notifier.rows import Question
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.errors import TransientError
from goalrunner_shared.messages import Message
from goalrunner_shared.once import InMemoryOnce
from goalrunner_shared.publisher import RecordingPublisher
from goalrunner_shared.rows import InMemoryRows

QUESTION = "abcdefghij"
ATTEMPT = "lisbon-flat.2026-01-01T1000Z.3f2a1b"
START = datetime(2026, 1, 1, 10, tzinfo=UTC)
TRIES = 6


class Killed(BaseException):
    """The process is gone."""


class Fuse:
    """Kills at the n-th moment round a side effect (before it and after it); None never does."""

    def __init__(self) -> None:
        self.left: int | None = None

    def burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Killed


class Fused:
    """A port whose side effects burn the fuse."""

    def __init__(self, port: object, fuse: Fuse, *effects: str) -> None:
        self._port, self._fuse, self._effects = port, fuse, effects

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return self._around(found) if name in self._effects else found

    def _around(self, effect: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            self._fuse.burn()
            result = effect(*args, **named)
            self._fuse.burn()
            return result

        return run


class World:
    """The notifier with its fakes.

    `queue` is the deliver queue, `dead` what was given up, `bus` what the state machine has published.
    """

    def __init__(self, *, ask_cap: timedelta | None = None) -> None:
        self.seconds = 0.0
        self.bus_is_down = False
        self.fuse = Fuse()
        self.queue: list[dict[str, Any]] = []
        self.dead: list[Message[Any]] = []
        self.delivered: list[dict[str, Any]] = []
        self.bus: list[tuple[str, dict[str, Any]]] = []
        self.rows = InMemoryRows()
        self.blobs = InMemoryBlobs()
        self.channel = InMemoryChannel()
        self.alarms = InMemoryAlarms()
        self.once = InMemoryOnce()
        self.publisher = RecordingPublisher(clock=self.clock, blobs=self.blobs)
        self.wait = InMemoryWait(
            deliver=lambda message: self.queue.append(dict(message)), put=self._put, now=lambda: self.seconds
        )
        ports: dict[str, Any] = {
            "wait": Fused(self.wait, self.fuse, "start", "answer", "expire", "beat"),
            "alarms": Fused(self.alarms, self.fuse, "set"),
            "channel": Fused(self.channel, self.fuse, "send", "edit"),
            "once": self.once,
            "ask_cap": ask_cap,
        }
        rows: Any = Fused(self.rows, self.fuse, "add", "replace")
        publisher: Any = Fused(self.publisher, self.fuse, "publish")
        parts = Parts(publisher, rows, self.blobs, self.clock, Logger(service="test", level="ERROR"))
        self._hear = hear_routes(parts, **ports)
        self._deliver = deliver_routes(parts, **ports)
        self._updates = updates_routes(parts, **ports)

    def clock(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def _put(self, kind: str, detail: Mapping[str, Any]) -> None:
        if self.bus_is_down:
            raise TransientError("the bus is down")
        self.bus.append((kind, dict(detail)))

    def hear(self, event: Event) -> None:
        meta = Meta(event_id=event.event_id(), correlation_id=ATTEMPT, hops=2, occurred_at=self.clock(), trace_id="t")
        self._handle(self._hear, lambda tries: Message(body=event, meta=meta, receive_count=tries))

    def deliver(self, body: Mapping[str, Any]) -> None:
        read = delivery_reader(self.clock)
        self._handle(self._deliver, lambda tries: read(record(body, tries)))

    def answer(self, text: str, *, update: str = "1", question: str = QUESTION, by: str = "ada") -> None:
        read = update_reader(self.clock)
        body = {"kind": "answer", "channel": "in-memory", "update_id": update, "question": question}
        self._handle(self._updates, lambda tries: read(record({**body, "text": text, "by": by}, tries)))

    def drain(self) -> None:
        """Deliver what the deliver queue holds."""
        while self.queue:
            self.deliver_next()

    def deliver_next(self) -> None:
        body = self.queue.pop(0)
        self.delivered.append(body)
        self.deliver(body)

    def ring(self) -> None:
        """Every alarm that was set rings."""
        for _, message in list(self.alarms.pending.values()):
            self.deliver(message)

    def forget(self) -> None:
        """An emulator was killed: waits, alarms and messages are gone, the table is not."""
        self.wait.forget()
        self.queue.clear()
        self.delivered.clear()
        self.alarms.pending.clear()

    def _handle(self, routes: Routes, read: Callable[[int], Message[Any]]) -> None:
        """As a queue does it: again after a kill and after a passing error; what never succeeds is dead."""
        for tries in range(1, TRIES):
            message = read(tries)
            route = routes[type(message.body)]
            assert not isinstance(route, Together)
            try:
                return route(message)
            except Killed:
                self.once.end_leases()
            except TransientError:
                continue
        return self.dead.append(message)

    def question(self, question: str = QUESTION) -> Question:
        row = self.rows.get(Question, question)
        assert row is not None
        return row

    def answers(self) -> list[str]:
        """The answers on the bus."""
        return [detail["data"]["answer"] for kind, detail in self.bus if kind == "clarification.answered.v1"]

    def replies(self) -> list[str]:
        """What the human was told outside of questions, reports and rejections."""
        return [notice.text for notice in self.channel.sent if notice.kind == "plain"]

    def outcome(self) -> dict[str, Any]:
        """What is to be the same however often something was killed or delivered."""
        return {
            "bus": self.bus,
            "rows": [row.model_dump(exclude={"version"}) for _, row in self.rows.all(Question)],
            "sent": sorted({notice.key for notice in self.channel.sent}),
            "shown": [notice for _, notice in self.channel.edits[-1:]],
            "said": sorted({meta.event_id for meta, _ in self.publisher.published}),
            "alarms": self.alarms.pending,
        }


def record(body: Mapping[str, Any], tries: int) -> SQSRecord:
    attributes = {"ApproximateReceiveCount": str(tries)}
    return SQSRecord({"messageId": "m-1", "body": json.dumps(body), "attributes": attributes})


def _requested(*, timeout: int = 3600, **other: Any) -> ClarificationRequestedV1:
    given: dict[str, Any] = {
        "question": QUESTION,
        "attempt": ATTEMPT,
        "goal": "lisbon-flat",
        "step": "main",
        "title": "Find a flat",
        "text": "How many rooms?",
        "why": "It decides the price",
        "options": ("One room", "Two rooms"),
        "default": "One room",
        "ask": AskPolicy(timeout_seconds=timeout),
        "cost_usd": 0.12,
    }
    return ClarificationRequestedV1(**{**given, **other})


@pytest.fixture(scope="session")
def make_world() -> type[World]:
    return World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def asked(world: World) -> World:
    """A world in which the human has the question."""
    world.hear(_requested())
    world.drain()
    return world


@pytest.fixture(scope="session")
def requested() -> Callable[..., ClarificationRequestedV1]:
    return _requested
