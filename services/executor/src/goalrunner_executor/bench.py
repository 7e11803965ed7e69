"""The executor on fakes, for tests: what comes in is delivered as a queue would, what goes out is kept."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aws_lambda_powertools.logging import Logger

from goalrunner_shared.entrypoint import Together
from goalrunner_events import (
    AgentSpec,
    AskPolicy,
    ClarificationAnsweredV1,
    ClarificationExpiredV1,
    ClarificationRequestedV1,
    Criterion,
    Event,
    Job,
    Meta,
    StepFinishedV1,
    StepReadyV1,
    StepResult,
    StepSuspendedV1,
)
from goalrunner_executor.adapters.checkout import Checkout
from goalrunner_executor.compose import routes
from goalrunner_executor.ports import Engine
from goalrunner_executor.rows import StepRun, row_key
from goalrunner_shared.blobs import Blobs, InMemoryBlobs
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.git.fake import InMemoryRepository
from goalrunner_shared.messages import Message
from goalrunner_shared.publisher import Publisher, RecordingPublisher
from goalrunner_shared.rows import InMemoryRows, Rows

ATTEMPT = "shortlist.2026-01-01T1000Z.3f2a1b"
FILES = {
    "README.md": b"goals\n",
    "notes/books.md": b"- The Peregrine\n",
    "out/old.md": b"tracked by mistake\n",
}
AT = datetime(2026, 1, 1, 10, tzinfo=UTC)


@dataclass
class Bench:
    """A world that outlives its processes; `wrap` is put round each port that the executor gets."""

    folder: Path
    engines: Mapping[str, Engine]
    memory: InMemoryBlobs = field(default_factory=InMemoryBlobs)
    table: InMemoryRows = field(default_factory=InMemoryRows)
    repository: InMemoryRepository = field(default_factory=lambda: InMemoryRepository(FILES))
    now: Callable[[], float] = lambda: 0.0
    wrap: Callable[[Any], Any] = lambda port: port
    remaining: Callable[[], float] = lambda: 900.0
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.bus = RecordingPublisher(clock=fixed_clock(AT), blobs=self.memory)

    def parts(self) -> Parts:
        publisher: Publisher = self.wrap(self.bus)
        rows: Rows = self.wrap(self.table)
        blobs: Blobs = self.wrap(self.memory)
        return Parts(publisher, rows, blobs, fixed_clock(AT), Logger(service="executor", level="CRITICAL"))

    def deliver(self, event: Event, *, message_id: str | None = None, receives: int = 1) -> None:
        """Hand an event to its handler, as a message of its own unless `message_id` says which."""
        message = Message(
            body=event,
            meta=_meta(event),
            message_id=message_id or f"m{next(self._ids)}",
            receive_count=receives,
            remaining=self.remaining,
        )
        workspace = Checkout(self.repository, self.folder / "work")
        handle = routes(self.parts(), workspace=workspace, engines=self.engines, now=self.now)[type(event)]
        assert not isinstance(handle, Together)
        handle(message)

    def ready(self, **job: Any) -> StepReadyV1:
        """The event that begins the step; `engine`, `argv`, `max_turns`, `timeout` go to the agent, the rest to it."""
        keys = {"engine": "engine", "argv": "argv", "max_turns": "max_turns", "timeout": "timeout_seconds"}
        agent = {keys[key]: job.pop(key) for key in [*job] if key in keys}
        made = Job(
            title="Choose books",
            path="goals/shortlist.md",
            commit=self.repository.tip,
            agent=AgentSpec.model_validate({"engine": "claude-api", **agent}),
            instructions="# Choose books",
            **{"criteria": (Criterion(id="AC1", text="three books"),), "tools": ("files", "shell"), **job},
        )
        return StepReadyV1(attempt=ATTEMPT, goal="shortlist", step="main", job=made)

    def answer(self, text: str) -> ClarificationAnsweredV1:
        """The human's answer to the question that was published last."""
        asked = self.questions[-1]
        return ClarificationAnsweredV1(
            question=asked.question, attempt=ATTEMPT, goal="shortlist", step="main", answer=text, by="ana"
        )

    def expiry(self) -> ClarificationExpiredV1:
        """Nobody has answered the question that was published last."""
        asked = self.questions[-1]
        return ClarificationExpiredV1(question=asked.question, attempt=ATTEMPT, goal="shortlist", step="main")

    @property
    def questions(self) -> list[ClarificationRequestedV1]:
        return self.bus.of(ClarificationRequestedV1)

    @property
    def suspensions(self) -> list[StepSuspendedV1]:
        return self.bus.of(StepSuspendedV1)

    @property
    def results(self) -> list[StepResult]:
        return [event.result for event in self.bus.of(StepFinishedV1)]

    @property
    def result(self) -> StepResult:
        """The one result, which must be there."""
        assert self.results, "the step has not finished"
        return self.results[-1]

    @property
    def row(self) -> StepRun:
        found = self.table.get(StepRun, row_key(ATTEMPT, "main"))
        assert found is not None
        return found

    def artifacts(self) -> dict[str, bytes]:
        """What the result has left in `out`."""
        return {each.path: self.memory.objects[each.blob.key] for each in self.result.artifacts}


def _meta(event: Event) -> Meta:
    return Meta(event_id=event.event_id(), correlation_id=ATTEMPT, occurred_at=AT)


def ask_policy(on_timeout: str) -> AskPolicy:
    """A goal's `ask.on_timeout`."""
    return AskPolicy.model_validate({"on_timeout": on_timeout})
