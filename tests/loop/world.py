"""The whole system in one process: the routes of every service on the fakes of its ports, and a bag of deliveries."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from aws_lambda_powertools.logging import Logger

from goalrunner_shared.entrypoint import App, Handler, Read, Routes, sqs_handler
from goalrunner_events import Event, GoalDueV1, Meta, Outcome, ScanCompletedV1, ScanRequestedV1, Trigger
from goalrunner_executor.adapters.checkout import Checkout
from goalrunner_executor.agents.scripted import Ask, Finish, Note, ScriptedEngine, Write
from goalrunner_executor.compose import routes as execute_routes
from goalrunner_executor.exits import Finished
from goalrunner_executor.ports import Engine, Run
from goalrunner_notifier.adapters.in_memory import InMemoryAlarms, InMemoryChannel, InMemoryWait
from goalrunner_notifier.compose import deliver_routes, hear_routes, updates_routes
from goalrunner_notifier.inbox import delivery_reader, update_reader
from goalrunner_planner.compose import routes as plan_routes
from goalrunner_reporter.compose import journal_routes
from goalrunner_reporter.compose import routes as report_routes
from goalrunner_reporter.keep import read_delivery
from goalrunner_scanner.compose import routes as scan_routes
from goalrunner_scanner.reader import scan_reader
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.bootstrap import Parts, event_reader
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.git.fake import InMemoryRepository
from goalrunner_shared.git.port import BuildDrafts, CommitDraft
from goalrunner_shared.manifest import read_manifests
from goalrunner_shared.once import InMemoryOnce
from goalrunner_shared.publisher import meta_for, seal
from goalrunner_shared.rows import InMemoryRows
from goalrunner_shared.topology import MAX_RECEIVES, fold, queue_name

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)
NOW = SLOT + timedelta(minutes=3)
SERVICES = Path(__file__).parents[2] / "services"
OUTCOMES = {"index": "done", "digest": "done", "trip": "done", "leaky": "failed"}
DELIVER = queue_name("notifier", "deliver")
UPDATES = queue_name("notifier", "updates")
SCAN = queue_name("scanner", "scan")
# As many as make it certain that something goes round in circles.
MOST_STEPS = 2_000


@cache
def topology() -> Mapping[str, Any]:
    """The fold of the real manifests."""
    return fold(read_manifests(SERVICES))


def goal_file(name: str, *lines: str, schedule: str = "{every: 24h}") -> bytes:
    """A goal file with these lines in its front matter."""
    front = "\n".join([f"id: {name}", f"title: Keep {name} in order", f"schedule: {schedule}", *lines])
    return f"---\n{front}\n---\n## Outcome\nOrder.\n\n## Acceptance criteria\n- [ ] AC1 It is there\n".encode()


FILES = {
    "README.md": b"mine\n",
    "goals/index.md": goal_file("index", "agent: {engine: command, argv: [write]}"),
    "goals/digest.md": goal_file("digest", "agent: {engine: command, argv: [copy]}", "depends_on: [index]"),
    "goals/trip.md": goal_file("trip", "agent: {engine: claude-api}", "ask: {timeout: 24h, on_timeout: default}"),
    "goals/leaky.md": goal_file("leaky", "agent: {engine: command, argv: [fail]}"),
    "goals/broken.md": goal_file("broken", "agnet: {engine: command}"),
    "goals/later.md": goal_file("later", "agent: {engine: command, argv: [write]}", schedule="manual"),
}


class Programs:
    """The engine `command` without processes: argv is `write`, `copy` (what the goal waited for) or `fail`."""

    def run(self, run: Run) -> Finished:
        (program,) = run.job.agent.argv
        if program == "fail":
            return Finished(outcome=Outcome.FAILED, reason="exit 1", output="no such pipe\n")
        source = run.place.repo / "artifacts/index/list.md"
        text = source.read_text() if program == "copy" else f"{run.goal}\n"
        (run.place.out / "list.md").write_text(text)
        return Finished(outcome=Outcome.DONE, summary=f"{program} has ended", output=text)


class Killed(BaseException):
    """What SIGKILL is to a process."""


@dataclass
class Fuse:
    """Kills before the side effects whose numbers are `deadly`; `log` names every effect, with whose it is.

    What a dead process would do next does not happen.
    """

    deadly: frozenset[int] = frozenset()
    log: list[tuple[str, str]] = field(default_factory=list)
    process: str = ""
    is_blown: bool = False

    def burn(self, effect: str) -> None:
        if not self.is_blown:
            self.log.append((self.process, effect))
            self.is_blown = len(self.log) - 1 in self.deadly
        if self.is_blown:
            raise Killed


class Mortal:
    """A port whose side effects, by method, burn the fuse before they happen."""

    def __init__(self, port: Any, fuse: Fuse, **effects: str) -> None:
        self._port, self._fuse, self._effects = port, fuse, effects

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        return self._around(method, self._effects[name]) if name in self._effects else method

    def _around(self, method: Callable[..., Any], effect: str) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            self._fuse.burn(effect)
            return method(*args, **named)

        return run


class MortalRepository(Mortal):
    """A repository of which a writer can die before it commits and before it pushes."""

    def write(self, build: BuildDrafts) -> Mapping[str, str]:
        def committed(tip: str) -> Sequence[CommitDraft]:
            drafts = build(tip)
            if drafts:
                self._fuse.burn("push")
            return drafts

        self._fuse.burn("commit")
        written: Mapping[str, str] = self._port.write(committed)
        return written


class MortalOnce(InMemoryOnce):
    """Its marks are rows: one before the action, one after it."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    def do(self, key: str, action: Callable[[], str]) -> str:
        def marked() -> str:
            done = action()
            self._fuse.burn("table write")
            return done

        self._fuse.burn("table write")
        return super().do(key, marked)


@dataclass(eq=False)
class Delivery:
    """A message in a queue; `copy` is 1 where the queue delivers a second time what it has delivered already."""

    queue: str
    body: str
    message_id: str
    copy: int = 0
    receives: int = 0

    def record(self) -> dict[str, Any]:
        """As Lambda hands it to a handler, once more."""
        self.receives += 1
        return {
            "messageId": self.message_id,
            "receiptHandle": f"{self.message_id}-{self.receives}",
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.receives), "SentTimestamp": _millis(NOW)},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-central-1:000000000000:{self.queue}",
        }


Choose = Callable[[Sequence[Delivery]], Sequence[Delivery]]


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
            if _matches(rule["pattern"], envelope):
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
        service = topology()["functions"][queue]["service"]
        parts = self._parts(service)
        read, routes = self._function(queue, parts)
        return App(read=read, routes=routes, retry=lambda record, error: None, logger=self.logger)

    def _parts(self, service: str) -> Parts:
        table = self.tables.get(service, InMemoryRows())
        rows: Any = Mortal(table, self.fuse, add="table write", replace="table write", remove="table write")
        blobs: Any = Mortal(self.blobs, self.fuse, put="blob write", put_new="blob write")
        return Parts(Bus(self, self.fuse), rows, blobs, fixed_clock(NOW), self.logger)

    def _function(self, queue: str, parts: Parts) -> tuple[Read, Routes]:
        repository: Any = MortalRepository(self.repository, self.fuse)
        events, clock = event_reader(parts), parts.clock
        match queue.removeprefix("goalrunner-"):
            case "scanner-scan":
                read = scan_reader(parts, clock_is_fixed=True)
                return read, scan_routes(parts, repository=repository, engines=self.engines)
            case "planner-plan":
                return events, plan_routes(parts, repository=repository)
            case "executor-execute":
                workspace = Checkout(self.repository, self.folder)
                return events, execute_routes(parts, workspace=workspace, engines=self.engines, now=lambda: 0.0)
            case "reporter-report":
                return events, report_routes(parts, repository=repository)
            case "reporter-journal":
                return read_delivery, journal_routes(parts)
            case "notifier-hear":
                return events, hear_routes(parts, **self._desk())
            case "notifier-deliver":
                return delivery_reader(clock), deliver_routes(parts, **self._desk())
            case "notifier-updates":
                return update_reader(clock), updates_routes(parts, **self._desk())
        raise AssertionError(f"nobody has told the world of {queue}")

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


# What a row says as long as something is still to be done for it.
_PROMISES = ("published", "closed", "announced", "ended", "settled")
_COMMIT = re.compile("[0-9a-f]{40}")
_CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)


def in_turn(bag: Sequence[Delivery]) -> Sequence[Delivery]:
    """The straightforward order: one by one, as they came."""
    return bag[:1]


def in_batches(bag: Sequence[Delivery]) -> Sequence[Delivery]:
    """As they came, and with the first whatever waits in the same queue, as much as the function takes."""
    mine = [delivery for delivery in bag if delivery.queue == bag[0].queue]
    return mine[: largest_batch(bag[0].queue)]


def failed_first(bag: Sequence[Delivery]) -> Sequence[Delivery]:
    """In turn, but what was not handled comes again at once."""
    return in_turn([each for each in bag if each.receives] or bag)


def failed_last(bag: Sequence[Delivery]) -> Sequence[Delivery]:
    """In batches, but what was not handled comes again after all else that happens."""
    return in_batches([each for each in bag if not each.receives] or bag)


class Shuffle:
    """Draws the next batch by the bytes given; after the last byte, and for zeros, as the messages came.

    What the queue `stalled` holds comes when nothing else is left; so do all second copies where they are `late`.
    """

    def __init__(self, decisions: bytes, *, stalled: str | None, late: bool) -> None:
        self._decisions = iter(decisions)
        self._stalled = stalled
        self._late = late

    def __call__(self, bag: Sequence[Delivery]) -> Sequence[Delivery]:
        first = [each for each in bag if not (self._late and each.copy)] or bag
        ready = [each for each in first if each.queue != self._stalled] or first
        leader = ready[self._below(len(ready))]
        mates = [each for each in ready if each.queue == leader.queue and each is not leader]
        size = self._below(largest_batch(leader.queue))
        return [leader, *(mates.pop(self._below(len(mates))) for _ in range(min(size, len(mates))))]

    def _below(self, limit: int) -> int:
        return next(self._decisions, 0) % limit


def largest_batch(queue: str) -> int:
    """As the manifest has it."""
    size: int = topology()["functions"][queue]["batch"]
    return size


def _matches(pattern: Mapping[str, Any], envelope: Mapping[str, Any]) -> bool:
    return all(any(_fits(wanted, envelope[key]) for wanted in choice) for key, choice in pattern.items())


def _fits(wanted: Any, value: str) -> bool:
    return value.startswith(wanted["prefix"]) if isinstance(wanted, dict) else value == wanted


def _millis(instant: datetime) -> str:
    return str(round(instant.timestamp() * 1000))


@dataclass(frozen=True)
class End:
    """What a world has come to, in words that do not depend on the order in which it did.

    `tree`: content by path; `commits`: subjects by attempt, oldest first; `events`: by id every content that was said
    under it; `causes`: by id what brought it about; `journal`: event ids; `notices`: how often each was sent, by key;
    `loose`: rows that wait for something; `dead`: queues whose messages were given up.
    """

    tree: Mapping[str, str]
    commits: Mapping[str, Sequence[str]]
    events: Mapping[str, frozenset[str]]
    causes: Mapping[str, frozenset[str]]
    journal: frozenset[str]
    notices: Mapping[str, int]
    loose: Sequence[str]
    dead: Sequence[str]

    @property
    def outcomes(self) -> Mapping[str, str]:
        """How each attempt that was reported ended, by goal, as its last commit says."""
        return {name.partition(".")[0]: said[-1].rpartition(": ")[2] for name, said in self.commits.items()}


def end_of(world: World) -> End:
    """The end, once the bag is empty."""
    assert not world.bag
    name = _namer(world)
    history = world.repository.history()
    files = {path: file.content.decode() for path, file in history[0].tree.items()}
    commits: dict[str, list[str]] = {}
    for draft in (commit.draft for commit in reversed(history) if commit.draft):
        commits.setdefault(dict(draft.trailers)["Attempt-Id"], []).append(draft.subject)
    events: dict[str, set[str]] = defaultdict(set)
    causes: dict[str, set[str]] = defaultdict(set)
    for event in world.said:
        meta = event["meta"]
        events[meta["event_id"]].add(name(_content(event)))
        causes[meta["event_id"]].add(f"{meta['causation_id']} after {meta['hops']} hops, traced by {meta['trace_id']}")
    kept = [key.rpartition("/")[2].removesuffix(".json") for key in world.blobs.keys("journal/")]
    assert len(kept) == len(set(kept)), "an event is in the journal twice"
    return End(
        tree={path: name(content) for path, content in files.items()},
        commits=commits,
        events={key: frozenset(contents) for key, contents in events.items()},
        causes={key: frozenset(found) for key, found in causes.items()},
        journal=frozenset(kept),
        notices=Counter(notice.key for notice in world.channel.sent),
        loose=list(_loose(world.tables)),
        dead=[delivery.queue for delivery in world.dead],
    )


def _content(event: Mapping[str, Any]) -> str:
    """What must be the same whenever it is said. A scan that is repeated may see more than the first one did."""
    seen = {} if event["type"] == ScanCompletedV1.TYPE else event["data"]
    return json.dumps({"type": event["type"], "correlation": event["meta"]["correlation_id"], "data": seen})


def _namer(world: World) -> Callable[[str], str]:
    """Replaces each commit id by what the commit is.

    At which commit a goal that waited became due depends on who else was faster; what it waited for is in it.
    """
    names = {commit.id: commit.message.partition("\n")[0] for commit in world.repository.history()}
    waited: dict[str, str] = {}
    for event in world.said:
        if event["type"] == GoalDueV1.TYPE and event["data"]["trigger"] == Trigger.DEPENDENCY:
            waited[event["data"]["attempt"]] = commit = event["data"]["commit"]
            assert world.repository.file(commit, "artifacts/index/list.md") == b"index\n"

    def name(text: str) -> str:
        for attempt, commit in waited.items():
            if attempt in text:
                text = text.replace(commit, f"[what {attempt} waited for]")
        return _COMMIT.sub(lambda found: names.get(found[0], found[0]), text)

    return name


def _loose(tables: Mapping[str, InMemoryRows]) -> Iterator[str]:
    for service, table in tables.items():
        for (kind, key), (_, text) in table.items.items():
            row = json.loads(text)
            if row.get("closed"):
                # Its result is reported: nobody asks any more whether its beginning was said.
                continue
            yield from (f"{service}: {kind} {key} is not {flag}" for flag in _PROMISES if row.get(flag) is False)
