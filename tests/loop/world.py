"""The whole system in one process: the routes of every service on the fakes of its ports, and a bag of deliveries."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aws_lambda_powertools.logging import Logger

from goalrunner_shared.entrypoint import App, Handler, sqs_handler
from goalrunner_events import Event, Meta, ScanRequestedV1
from goalrunner_executor.adapters.checkout import Checkout
from goalrunner_executor.agents.scripted import Ask, Finish, Note, ScriptedEngine, Write
from goalrunner_executor.ports import Engine
from goalrunner_notifier.adapters.in_memory import InMemoryAlarms, InMemoryChannel, InMemoryWait
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.git.fake import InMemoryRepository
from goalrunner_shared.publisher import meta_for, seal
from goalrunner_shared.rows import InMemoryRows
from goalrunner_shared.topology import MAX_RECEIVES, queue_name
from tests.loop.deliveries import Choose, Delivery, in_turn
from tests.loop.functions import function
from tests.loop.goals import FILES, NOW, SLOT, Programs
from tests.loop.manifests import matches, topology
from tests.loop.mortal import Fuse, Killed, Mortal, MortalOnce, MortalRepository

DELIVER = queue_name("notifier", "deliver")
UPDATES = queue_name("notifier", "updates")
SCAN = queue_name("scanner", "scan")
# As many as make it certain that something goes round in circles.
MOST_STEPS = 2_000
_CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)


@dataclass
class World:
    """Everything that outlives a process, and the processes.

    `copies`: how often each message is delivered; `own_ids`: each time under an id of its own, as two events of the
    bus, not as one of the queue. `answers`: whether the human answers what is asked, or lets it expire.
    `bag` holds what is to be delivered, `dead` what was given up, `said` each event as it came onto the bus.
    """

    folder: Path
    answers: bool = True
    copies: int = 1
    own_ids: bool = False
    fuse: Fuse = field(default_factory=Fuse)
    bag: list[Delivery] = field(default_factory=list)
    dead: list[Delivery] = field(default_factory=list)
    said: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.repository = InMemoryRepository(FILES)
        self.blobs = InMemoryBlobs()
        self.channel = InMemoryChannel()
        self.logger = Logger(service="world", level="CRITICAL")
        trip = ScriptedEngine([Write("draft.md", "a draft"), Ask("train or car?", "train"), Note("way"), Finish()])
        self.engines: dict[str, Engine] = {"command": Programs(), "claude-api": trip}
        self.lives = self._sent = 0
        self._begin_life()

    def _begin_life(self) -> None:
        self.lives += 1
        self.tables = {name["service"]: InMemoryRows() for name in topology()["tables"].values()}
        self.once = MortalOnce(self.fuse)
        self.alarms = InMemoryAlarms()
        self.wait = InMemoryWait(deliver=lambda body: self.send(DELIVER, body), put=self._published, now=lambda: 0.0)
        self._answered: set[str] = set()
        self._rung: set[str] = set()
        self._seen = len(self.channel.sent)
        self.bag.clear()
        self._handlers: dict[str, Handler] = {}

    def forget(self, *, blobs: bool) -> None:
        """What an emulator that is killed forgets: tables, waits, alarms, messages, and the bucket where it was its."""
        self._begin_life()
        if blobs:
            self.blobs.objects.clear()

    def scan(self) -> None:
        """The command asks for the slot."""
        Bus(self, Fuse()).publish(ScanRequestedV1(slot=SLOT), cause=None)

    def tick(self) -> None:
        """The Scheduler asks for it."""
        data = {"trigger": "schedule", "slot": SLOT.isoformat()}
        self.send(SCAN, {"detail-type": ScanRequestedV1.TYPE, "detail": {"data": data}})

    def ring(self) -> None:
        """Every alarm that has not rung rings."""
        for name, (_, body) in self.alarms.pending.items():
            if name not in self._rung:
                self._rung.add(name)
                self.send(DELIVER, body)

    def send(self, queue: str, body: Mapping[str, Any]) -> None:
        """Put a message into a queue."""
        self._sent += 1
        text = json.dumps(body)
        for copy in range(self.copies):
            suffix = f"-{copy}" if self.own_ids else ""
            self.bag.append(Delivery(queue, text, f"message-{self._sent}{suffix}", copy))

    def put(self, kind: str, source: str, detail: Mapping[str, Any]) -> None:
        """An event comes onto the bus, and from there to everybody whose rule it matches."""
        self.said.append({"type": kind, **detail})
        envelope = {
            "version": "0",
            "id": f"envelope-{len(self.said)}",
            "detail-type": kind,
            "source": source,
            "time": NOW.isoformat(),
            "detail": detail,
        }
        for rule in topology()["rules"].values():
            if matches(rule["pattern"], envelope):
                self.send(rule["queue"], envelope)

    def run(self, choose: Choose | None = None, *, steps: int = MOST_STEPS) -> int:
        """Deliver until the bag is empty, or `steps` times; how often it was."""
        choose = choose or in_turn
        for step in range(steps):
            if not self.bag:
                return step
            self.deliver(choose(self.bag))
        assert steps < MOST_STEPS, f"it never ends: {Counter(delivery.queue for delivery in self.bag)}"
        return steps

    def deliver(self, batch: Sequence[Delivery]) -> None:
        """Hand a batch to its function; what is not handled comes again, to a new process where it was killed."""
        queue = batch[0].queue
        self.fuse.process = queue
        handler = self._handlers.setdefault(queue, sqs_handler(lambda: self._app(queue)))
        try:
            answer = handler({"Records": [delivery.record() for delivery in batch]}, _CONTEXT)
            failed = {item["itemIdentifier"] for item in answer["batchItemFailures"]}
            self.fuse.burn("acknowledge")
        except Killed:
            failed = {delivery.message_id for delivery in batch}
            del self._handlers[queue]
            self.fuse.is_blown = False
            self.once.end_leases()
        self._put_back(batch, failed)
        self._react()

    def _put_back(self, batch: Sequence[Delivery], failed: set[str]) -> None:
        for delivery in batch:
            self.bag.remove(delivery)
            if delivery.message_id in failed:
                (self.bag if delivery.receives < MAX_RECEIVES else self.dead).append(delivery)

    def _react(self) -> None:
        """The human answers each question once, or the time for it runs out."""
        new, self._seen = self.channel.sent[self._seen :], len(self.channel.sent)
        if not self.answers:
            self.ring()
        for notice in new:
            if self.answers and notice.question and notice.question not in self._answered:
                self._answered.add(notice.question)
                update = f"{self.lives}-{notice.question}"
                said = {"update_id": update, "question": notice.question, "text": "car", "by": "ada"}
                self.send(UPDATES, {"kind": "answer", "channel": "in-memory", **said})

    def _published(self, kind: str, detail: Mapping[str, Any]) -> None:
        self.put(kind, "goalrunner.notifier", detail)

    def _app(self, queue: str) -> App:
        repository: Any = MortalRepository(self.repository, self.fuse)
        read, routes = function(
            queue,
            self._parts(topology()["functions"][queue]["service"]),
            repository=repository,
            workspace=Checkout(self.repository, self.folder),
            engines=self.engines,
            desk=self._desk(),
        )
        return App(read=read, routes=routes, retry=lambda record, error: None, logger=self.logger)

    def _parts(self, service: str) -> Parts:
        table = self.tables.get(service, InMemoryRows())
        rows: Any = Mortal(table, self.fuse, add="table write", replace="table write", remove="table write")
        blobs: Any = Mortal(self.blobs, self.fuse, put="blob write", put_new="blob write")
        return Parts(Bus(self, self.fuse), rows, blobs, fixed_clock(NOW), self.logger)

    def _desk(self) -> dict[str, Any]:
        settle = {"answer": "settle wait", "expire": "settle wait", "beat": "beat"}
        return {
            "wait": Mortal(self.wait, self.fuse, start="start wait", **settle),
            "alarms": Mortal(self.alarms, self.fuse, set="set alarm"),
            "channel": Mortal(self.channel, self.fuse, send="send", edit="edit"),
            "once": self.once,
        }


class Bus:
    """The way onto the world's bus; a process can die between the events of one call."""

    def __init__(self, world: World, fuse: Fuse) -> None:
        self._world, self._fuse = world, fuse

    def publish(self, *events: Event, cause: Meta | None) -> None:
        clock = fixed_clock(NOW)
        sealed = [
            (event, seal(event, meta=meta_for(event, cause=cause, clock=clock), blobs=self._world.blobs))
            for event in events
        ]
        for event, detail in sealed:
            self._fuse.burn("publish")
            self._world.put(event.TYPE, event.SOURCE, json.loads(detail))
