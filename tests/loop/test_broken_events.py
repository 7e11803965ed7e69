"""Broken events in the queues of a running system: each is given up with its named error and touches nothing."""

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from goalrunner_local.cloud import Cloud
from goalrunner_local.queues import all_empty
from goalrunner_local.system import topology_here
from tests.loop.laptop import Laptop, attempt_commits

pytestmark = [pytest.mark.emulator, pytest.mark.slow, pytest.mark.timeout(600)]

EXAMPLES = Path(__file__).parents[2] / "events" / "examples"
GOAL = """---
id: by-hand
title: A title
schedule: {manual: true}
agent: {engine: command, argv: [sh, -c, 'echo written > "$GOALRUNNER_OUT/file.txt"']}
---
## Outcome
It is written.
"""
# The examples speak of these goals, which the repository does not have.
STRANGERS = ("lisbon-flat", "tidy-links")
TRIES = 5

SCAN, PLAN, EXECUTE, REPORT, JOURNAL, HEAR, DELIVER, UPDATES = (
    f"goalrunner-{name}"
    for name in (
        "scanner-scan",
        "planner-plan",
        "executor-execute",
        "reporter-report",
        "reporter-journal",
        "notifier-hear",
        "notifier-deliver",
        "notifier-updates",
    )
)


def example(name: str, *path: str, **changes: Any) -> str:
    """A recorded event as the bus delivers it; at `path` in it keys are set, or gone where they are None."""
    detail = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    body = {"version": "0", "source": "goalrunner.test", "detail-type": name.partition("/")[0], "detail": detail}
    place: dict[str, Any] = body
    for key in path:
        place = place[key]
    place |= {key.replace("_type", "-type"): value for key, value in changes.items()}
    for key in [key for key, value in changes.items() if value is None]:
        del place[key.replace("_type", "-type")]
    return json.dumps(body)


def elsewhere(**reference: Any) -> str:
    """A report whose data lies in the bucket."""
    data_ref = {"key": "events/none", "sha256": "0" * 64, "bytes": 1, **reference}
    return example("attempt.finished.v1/done", "detail", data=None, data_ref=data_ref)


@dataclass(frozen=True)
class Broken:
    """A message that a function cannot handle: its error's type and a part of its text in the log."""

    queue: str
    body: str
    fragment: str
    error: str = "MalformedMessage"


DUE, READY, DONE = "goal.due.v1/by-schedule", "step.ready.v1/command", "attempt.finished.v1/done"
DEEP = '{"detail-type":' + "[" * 100_000
BROKEN = [
    *(Broken(queue, "{not json", "not an event envelope") for queue in (SCAN, PLAN, EXECUTE, REPORT, JOURNAL, HEAR)),
    *(Broken(queue, DEEP, "not an event envelope") for queue in (SCAN, PLAN, EXECUTE, REPORT, JOURNAL, HEAR)),
    *(Broken(queue, "{not json", "body: Invalid JSON") for queue in (DELIVER, UPDATES)),
    *(Broken(queue, DEEP, "body: Invalid JSON") for queue in (DELIVER, UPDATES)),
    Broken(SCAN, "[1, 2]", "not an event envelope"),
    Broken(SCAN, example("scan.requested.v1/scheduled", "detail", meta=None, data={}), "neither an event nor what"),
    Broken(SCAN, example("scan.requested.v1/scheduled", "detail", "data", trigger="whim"), "trigger: Input should be"),
    Broken(PLAN, example(DUE, detail_type=None), "KeyError('detail-type')"),
    Broken(PLAN, example(DUE, detail="{}"), "detail is no object"),
    Broken(PLAN, example(DUE, detail_type="goal.due.v9"), "unknown event type 'goal.due.v9'"),
    Broken(PLAN, example(DONE), "nothing here handles a AttemptFinishedV1"),
    Broken(PLAN, example(DUE, "detail", "meta", hops=13), "meta.hops"),
    Broken(PLAN, example(DUE, "detail", "data", commit=None), "commit: Field required"),
    Broken(EXECUTE, example(READY, "detail", "meta", event_id=None), "meta.event_id: Field required"),
    Broken(EXECUTE, example(READY, "detail", "data", job="work"), "job: Input should be"),
    Broken(EXECUTE, example("step.suspended.v1/first-time", "detail", "data", fence=float("nan")), "NaN is not JSON"),
    Broken(EXECUTE, example("step.suspended.v1/first-time", "detail", "data", attempt="\ud800"), "UnicodeEncodeError"),
    Broken(REPORT, example(DONE, "detail", "meta", occurred_at="2026-01-01T10:00:00"), "meta.occurred_at"),
    Broken(REPORT, example(DONE, "detail", data=None), "either data or data_ref"),
    Broken(REPORT, elsewhere(sha256="abc"), "data_ref.sha256"),
    Broken(REPORT, elsewhere(), "no object at events/none", error="TransientError"),
    Broken(JOURNAL, example(DONE, "detail", "meta", correlation_id="../../away"), "cannot name a journal entry"),
    Broken(JOURNAL, example(DONE, "detail", meta=None), "meta"),
    Broken(HEAR, example("result.reported.v1/done", "detail", "data", outcome="splendid"), "outcome: Input should be"),
    Broken(DELIVER, '{"kind": "alarm", "question": "zkwigu7evh"}', "generation: Field required"),
    Broken(DELIVER, '{"kind": "party"}', "Input tag 'party'"),
    Broken(UPDATES, '{"kind": "answer", "text": " "}', "Field required"),
]


@dataclass(frozen=True)
class Running:
    """A laptop on which `up` runs, and its cloud."""

    laptop: Laptop
    cloud: Cloud

    def url(self, queue: str) -> str:
        url: str = self.cloud.client("sqs").get_queue_url(QueueName=queue)["QueueUrl"]
        return url

    def send(self, broken: list[Broken]) -> dict[str, Broken]:
        """Put the messages into their queues; by message id."""
        sqs = self.cloud.client("sqs")
        sent = ((sqs.send_message(QueueUrl=self.url(each.queue), MessageBody=each.body), each) for each in broken)
        return {answer["MessageId"]: each for answer, each in sent}

    def given_up(self, queue: str) -> list[str]:
        """The bodies that its dead-letter queue holds; they are taken out of it."""
        sqs, url = self.cloud.client("sqs"), self.url(f"{queue}-dead")
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(message["Body"])
        return found

    def logged(self, queue: str) -> Iterator[dict[str, Any]]:
        """The lines of a function's log about messages that it did not handle."""
        for text in (self.laptop.state / "logs" / f"{queue}.log").read_text().splitlines():
            if text.startswith("{") and (line := json.loads(text)).get("message") == "message not handled":
                yield line

    def held(self) -> dict[str, Any]:
        """Everything that must stay as it is: rows, objects, and the repository's tip."""
        dynamodb, s3 = self.cloud.client("dynamodb"), self.cloud.client("s3")
        rows = {name: dynamodb.scan(TableName=name)["Items"] for name in topology_here()["tables"]}
        objects = {each["Key"]: each["ETag"] for each in s3.list_objects_v2(Bucket="goalrunner").get("Contents", [])}
        return {"rows": rows, "objects": objects, "tip": self.laptop.git("rev-parse", "HEAD")}

    def is_at_rest(self) -> bool:
        """Whether the scan at the start is through."""
        scanned = any(key.startswith("journal/scan.") for key in self.held()["objects"])
        return scanned and all_empty(self.cloud, [self.url(name) for name in topology_here()["queues"]])


def until(holds: Callable[[], bool], within: float = 240) -> None:
    """Wait for a condition."""
    end = time.monotonic() + within
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """`up` on a repository with one goal that runs when it is told to."""
    tree, bare = tmp_path / "tree", tmp_path / "goals.git"
    (tree / "goals").mkdir(parents=True)
    (tree / "goals" / "by-hand.md").write_text(GOAL)
    who = ["-c", "user.name=You", "-c", "user.email=you@localhost"]
    for words in (
        ["init", "--quiet", "--initial-branch=main", str(tree)],
        ["-C", str(tree), "add", "--all"],
        ["-C", str(tree), *who, "commit", "--quiet", "--message=A goal"],
        ["clone", "--quiet", "--bare", str(tree), str(bare)],
    ):
        subprocess.run(["git", *words], check=True)
    laptop = Laptop(bare, tmp_path / "state")
    process = laptop.start("up")
    try:
        until(laptop.state.joinpath("up.json").exists)
        cloud = Cloud(json.loads(laptop.state.joinpath("up.json").read_text())["endpoint"])
        running = Running(laptop, cloud)
        until(running.is_at_rest)
        yield running
    finally:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert "Traceback" not in output


def all_are_given_up(running: Running, broken: list[Broken]) -> None:
    """Wait until every message is in the dead-letter queue of its own queue, once."""
    wanted = Counter((each.queue, each.body) for each in broken)
    found: Counter[tuple[str, str]] = Counter()

    def complete() -> bool:
        for queue in {queue for queue, _ in wanted - found}:
            found.update((queue, body) for body in running.given_up(queue))
        return found == wanted

    until(complete)


def test_each_broken_event_is_given_up_with_its_named_error_and_touches_nothing(running: Running) -> None:
    assert len(BROKEN) >= 20
    before = running.held()
    sent = running.send(BROKEN)
    all_are_given_up(running, BROKEN)
    for queue in {each.queue for each in BROKEN}:
        lines = list(running.logged(queue))
        mine = {name: each for name, each in sent.items() if each.queue == queue}
        assert Counter(line["message_id"] for line in lines) == dict.fromkeys(mine, TRIES)
        for line in lines:
            assert line["error_type"] == mine[line["message_id"]].error
            assert mine[line["message_id"]].fragment in line["error"]
    assert running.held() == before


def test_a_good_goal_runs_to_its_end_among_broken_events(running: Running) -> None:
    laptop = running.laptop
    broken = [each for each in BROKEN if each.error == "MalformedMessage"]
    running.send(broken)
    assert laptop.call("run", "by-hand").returncode == 0
    running.send(broken)
    until(lambda: "attempt(by-hand): done" in laptop.git("log", "--format=%s"))
    all_are_given_up(running, broken * 2)
    assert [len(subjects) for subjects in attempt_commits(laptop).values()] == [2]
    assert laptop.git("show", "HEAD:artifacts/by-hand/file.txt") == "written"
    assert not [name for name in STRANGERS if name in json.dumps(running.held())]
