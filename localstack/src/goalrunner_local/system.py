"""A whole Goalrunner on this machine: cloud, queues, workers, and the events that they exchange."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from goalrunner_events import Event, Meta, ScanRequestedV1, Trigger
from goalrunner_local import queues
from goalrunner_local.answers import hand_over
from goalrunner_local.cloud import Cloud, named_cloud
from goalrunner_local.emulator import running_emulator
from goalrunner_local.functions import RunSettings, function_specs
from goalrunner_local.lambdas import deploy, withdraw
from goalrunner_local.provision import Provisioned, provision, provisioned
from goalrunner_local.state import RunningUp, StateFolder, StateInUse
from goalrunner_local.worker import Worker
from goalrunner_shared.blobs import Blobs, S3Blobs
from goalrunner_shared.clock import clock_from
from goalrunner_shared.errors import GoalrunnerError
from goalrunner_shared.manifest import read_manifests
from goalrunner_shared.messages import read_event
from goalrunner_shared.publisher import EventBridgePublisher
from goalrunner_shared.topology import fold

DELIVER = "goalrunner-notifier-deliver"
UPDATES = "goalrunner-notifier-updates"
SERVICES = Path(__file__).parents[3] / "services"


@dataclass
class LocalSystem:
    """The running system, seen from the terminal."""

    cloud: Cloud
    made: Provisioned
    state: StateFolder
    settings: RunSettings
    workers: list[Worker] = field(default_factory=list)

    def start_workers(self) -> None:
        """Start a worker for each lane of each function."""
        for spec in function_specs(self.cloud, self.made, self.state, self.settings):
            worker = Worker(self.cloud, spec)
            self.workers.append(worker)
            worker.start()

    def request_scan(self, *, slot: datetime, goal: str | None = None, request_id: str | None = None) -> str:
        """Ask the scanner to look; the id of the request, which the scan names when it is through."""
        trigger = Trigger.MANUAL if goal else Trigger.SCHEDULE
        event = ScanRequestedV1(slot=slot, goal=goal, trigger=trigger, request_id=request_id)
        self._publisher().publish(event, cause=None)
        return event.event_id()

    def events(self, *, wait: int = 1) -> Iterator[tuple[Meta, Event]]:
        """The next events that were on the bus; nothing came within `wait` seconds where there are none."""
        for envelope in queues.take_bodies(self.cloud, self.made.console, wait=wait):
            try:
                yield read_event(envelope["detail-type"], envelope["detail"], blobs=self.blobs)
            except GoalrunnerError:
                continue

    def take_up_questions(self) -> None:
        """Have the notifier start a new wait for every question whose wait did not survive."""
        self._send(DELIVER, {"kind": "recover"})

    def hand_over_answers(self, *, only: set[str] | None = None) -> list[str]:
        """Deliver the answers in the state folder, those for the questions `only`; which questions they were for."""
        url = self.made.queue_urls[UPDATES]
        return hand_over(self.cloud, queue_url=url, folder=self.state.answers, only=only)

    def is_quiet(self) -> bool:
        """Whether no message is on its way or being handled."""
        urls = [self.made.queue_urls[name] for name in self.made.topology["queues"]]
        return queues.all_empty(self.cloud, [*urls, self.made.console])

    def given_up(self) -> dict[str, str]:
        """Attempts whose message was given up, with the function that could not handle it."""
        return {
            attempt: name
            for name, queue in self.made.topology["queues"].items()
            for attempt in queues.attempts_given_up(self.cloud, self.made.queue_urls[queue["dead_letter_queue"]])
        }

    def retry_given_up(self) -> int:
        """Give every message in a dead-letter queue another try; how many there were."""
        return sum(
            queues.give_another_try(
                self.cloud,
                dead=self.made.queue_urls[queue["dead_letter_queue"]],
                url=self.made.queue_urls[name],
            )
            for name, queue in self.made.topology["queues"].items()
        )

    @property
    def blobs(self) -> Blobs:
        return S3Blobs(self.made.topology["bucket"], lambda: self.cloud.client("s3"))

    def _publisher(self) -> EventBridgePublisher:
        return EventBridgePublisher(
            bus=self.made.topology["bus"],
            client=lambda: self.cloud.client("events"),
            blobs=self.blobs,
            clock=clock_from(self.settings.clock),
        )

    def _send(self, queue: str, message: dict[str, Any]) -> None:
        url = self.made.queue_urls[queue]
        self.cloud.client("sqs").send_message(QueueUrl=url, MessageBody=json.dumps(message))


def topology_here() -> dict[str, Any]:
    """The topology of the services in this checkout."""
    return fold(read_manifests(SERVICES))


@contextmanager
def cloud_for(state: StateFolder) -> Iterator[Cloud]:
    """The cloud that the user named, or the embedded emulator with what it held in this state folder."""
    named = named_cloud()
    if named is not None:
        yield named
        return
    with running_emulator(state.emulator, log=state.logs / "emulator.log") as endpoint:
        yield Cloud(endpoint)


@contextmanager
def running_system(state: StateFolder, settings: RunSettings, *, scheduled: bool) -> Iterator[LocalSystem]:
    """Hold the state folder and run everything until the block ends; StateInUse, InputError."""
    with ExitStack() as stack:
        stack.enter_context(state.held())
        cloud = stack.enter_context(cloud_for(state))
        made = provision(cloud, topology_here(), services=SERVICES, scheduled=scheduled)
        system = LocalSystem(cloud, made, state, settings)
        state.announce(cloud.endpoint)
        cloud.client("sqs").purge_queue(QueueUrl=made.console)
        stack.callback(_stop, system.workers)
        system.retry_given_up()
        if settings.on_lambda:
            deploy(cloud, made, state, settings)
            stack.callback(withdraw, cloud, made)
        else:
            system.start_workers()
        yield system


@contextmanager
def attached_system(state: StateFolder, settings: RunSettings) -> Iterator[LocalSystem]:
    """The running system of this state folder, or, when none runs, its cloud alone, without workers."""
    with ExitStack() as stack:
        up = state.running()
        if up is None:
            up = _held_or_running(stack, state)
        if up is None:
            cloud = stack.enter_context(cloud_for(state))
            made = provision(cloud, topology_here(), services=SERVICES, scheduled=False)
        else:
            cloud = named_cloud() or Cloud(up.endpoint)
            made = provisioned(cloud, topology_here())
        yield LocalSystem(cloud, made, state, settings)


def _held_or_running(stack: ExitStack, state: StateFolder) -> RunningUp | None:
    """Hold the folder, or find the `up` that has begun meanwhile."""
    try:
        stack.enter_context(state.held())
    except StateInUse:
        up = state.running()
        if up is None:
            raise
        return up
    return None


def _stop(workers: list[Worker]) -> None:
    for worker in workers:
        worker.stop()
    for worker in workers:
        worker.finish()
