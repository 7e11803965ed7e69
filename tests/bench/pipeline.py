"""One event through everything (publish, rule, queue, handler, delete) against the bare calls on the same emulator."""

import json
import os
import statistics
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from goalrunner_events import GoalDueV1, Trigger
from goalrunner_local.cloud import Cloud
from goalrunner_local.emulator import running_emulator
from goalrunner_local.lane import FunctionSpec
from goalrunner_local.provision import CONSOLE, provision
from goalrunner_local.worker import Worker
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.clock import system_clock
from goalrunner_shared.publisher import EventBridgePublisher

ROUNDS = 7
EVENTS = 200
QUEUE = "goalrunner-bench-null"
TOPOLOGY = {
    "bus": "goalrunner",
    "bucket": "goalrunner",
    "queues": {QUEUE: {"dead_letter_queue": f"{QUEUE}-dead", "max_receives": 5, "visibility": 60}},
    "rules": {QUEUE: {"pattern": {"detail-type": ["goal.due.v1"]}, "queue": QUEUE}},
    "functions": {},
    "tables": {"goalrunner-bench": {}},
    "state_machines": {},
    "schedules": {},
}


def main() -> None:
    """Print the ratios."""
    with TemporaryDirectory() as scratch, running_emulator(None) as endpoint:
        cloud = Cloud(endpoint)
        made = provision(cloud, TOPOLOGY, services=Path(), scheduled=False)
        # The console's own copy of every event is no part of what AWS runs.
        cloud.client("events").disable_rule(Name=CONSOLE, EventBusName="goalrunner")
        url = made.queue_urls[QUEUE]
        lanes = {
            "ours, a handler that does nothing": _worker(cloud, url, "null_handler", Path(scratch)),
            "ours, with idempotency on": _worker(cloud, url, "once_handler", Path(scratch)),
        }
        runs: dict[str, Callable[[], None]] = {"bare put, receive, delete": lambda: _bare(cloud, url)}
        runs |= {name: _through(cloud, worker) for name, worker in lanes.items()}
        medians = _medians(runs)
        for worker in lanes.values():
            worker.runtime.stop()
    unit = medians["bare put, receive, delete"]
    print(f"one event through the pipeline: CPU as a multiple of the bare calls ({unit / EVENTS * 1000:.1f} ms here)")
    for name, seconds in medians.items():
        print(f"  {name:<34} {seconds / unit:5.2f}x")


def _worker(cloud: Cloud, url: str, handler: str, scratch: Path) -> Worker:
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | cloud.environment()
    environment |= {"PYTHONPATH": str(Path.cwd()), "GOALRUNNER_BUS": "goalrunner", "GOALRUNNER_BUCKET": "goalrunner"}
    environment |= {"GOALRUNNER_TABLE": "goalrunner-bench", "AWS_LAMBDA_FUNCTION_NAME": QUEUE}
    spec = FunctionSpec(
        name=QUEUE,
        handler=f"tests.bench.handlers.{handler}",
        queue_url=url,
        timeout=60,
        batch=10,
        environment=environment,
        log=scratch / "log",
    )
    return Worker(cloud, spec)


def _event(number: int) -> GoalDueV1:
    slot = datetime(2026, 1, 1, 10, tzinfo=UTC)
    return GoalDueV1(
        attempt=f"bench.{os.urandom(4).hex()}.{number}",
        goal="bench",
        path="goals/bench.md",
        commit="0" * 40,
        slot=slot,
        trigger=Trigger.SCHEDULE,
    )


def _through(cloud: Cloud, worker: Worker) -> Callable[[], None]:
    publisher = EventBridgePublisher(
        bus="goalrunner", client=lambda: cloud.client("events"), blobs=InMemoryBlobs(), clock=system_clock
    )

    def run() -> None:
        for number in range(EVENTS):
            publisher.publish(_event(number), cause=None)
        _drain(lambda: worker.poll_once(wait=0))

    return run


def _bare(cloud: Cloud, url: str) -> None:
    events, sqs = cloud.client("events"), cloud.client("sqs")
    for number in range(EVENTS):
        detail = json.dumps({"data": json.loads(_event(number).model_dump_json())})
        entry = {"EventBusName": "goalrunner", "Source": "bench", "DetailType": "goal.due.v1", "Detail": detail}
        events.put_events(Entries=[entry])

    def poll() -> int:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        if messages:
            entries = [{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        return len(messages)

    _drain(poll)


def _drain(poll: Callable[[], int]) -> None:
    left = EVENTS
    while left > 0:
        left -= poll()


def _medians(runs: Mapping[str, Callable[[], None]]) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(ROUNDS + 1):
        for name, run in runs.items():
            before = _cpu()
            run()
            if number:
                taken[name].append(_cpu() - before)
    return {name: statistics.median(values) for name, values in taken.items()}


def _cpu() -> float:
    """Seconds of this process and of its living children: the emulator and the function's runtime."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    others = sum(_ticks(int(pid)) for pid in children)
    return _ticks(os.getpid()) + others


def _ticks(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
