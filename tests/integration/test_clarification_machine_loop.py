"""The notifier's three functions with their real adapters, on the embedded emulator."""

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import urlopen

import pytest

from goalrunner_events import AskPolicy, ClarificationRequestedV1, Meta
from goalrunner_local.emulator import running_emulator
from goalrunner_local.provision import filled
from goalrunner_notifier.adapters.scheduler import SchedulerAlarms
from goalrunner_notifier.adapters.terminal import read_outbox
from goalrunner_shared import aws
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.publisher import meta_for, seal

ROOT = Path(__file__).parents[2]
DEFINITION = ROOT / "services/notifier/clarification.asl.json"
ACCOUNT = "000000000000"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/clarification"
QUEUES = ("deliver", "updates", "hear", "heard")
CONTEXT = SimpleNamespace(get_remaining_time_in_millis=lambda: 30_000)
Clients = Callable[[str], Any]


def until(condition: Callable[[], bool], *, within: float = 15) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.1)


class Loop:
    """Everything that the notifier needs, made in a cloud, and its functions called with what the queues hold."""

    def __init__(self, clients: Clients, *, terminal: Path) -> None:
        self._clients = clients
        self._terminal = terminal
        self._heard: list[dict[str, Any]] = []
        self.urls = {name: clients("sqs").create_queue(QueueName=name)["QueueUrl"] for name in QUEUES}
        events = clients("events")
        events.create_event_bus(Name="bus")
        events.put_rule(Name="all", EventBusName="bus", EventPattern=json.dumps({"source": ["goalrunner.notifier"]}))
        events.put_targets(Rule="all", EventBusName="bus", Targets=[{"Id": "heard", "Arn": queue_arn("heard")}])
        make_table(clients("dynamodb"))
        definition = filled(DEFINITION.read_text(), deliver_queue_url=self.urls["deliver"], bus="bus")
        self.machine = clients("stepfunctions").create_state_machine(
            name="clarification", definition=definition, roleArn=ROLE
        )["stateMachineArn"]

    def environment(self) -> dict[str, str]:
        return {
            "GOALRUNNER_BUS": "bus",
            "GOALRUNNER_BUCKET": "bucket",
            "GOALRUNNER_TABLE": "table",
            "GOALRUNNER_TERMINAL": str(self._terminal),
            "GOALRUNNER_STATE_MACHINE": self.machine,
            "GOALRUNNER_DELIVER_QUEUE": queue_arn("deliver"),
            "GOALRUNNER_SCHEDULER_ROLE": ROLE,
        }

    def send(self, queue: str, body: object) -> None:
        self._clients("sqs").send_message(QueueUrl=self.urls[queue], MessageBody=json.dumps(body))

    def work(self) -> None:
        """One turn of the workers: what the queues hold goes through the handlers."""
        from goalrunner_notifier import handler

        functions = {"hear": handler.hear, "deliver": handler.deliver, "updates": handler.updates}
        for name, function in functions.items():
            for record in self._receive(name):
                if not function({"Records": [record]}, CONTEXT)["batchItemFailures"]:
                    self._delete(name, record["receiptHandle"])

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        for record in self._receive("heard"):
            self._delete("heard", record["receiptHandle"])
            self._heard.append(json.loads(record["body"]))
        return [(event["detail-type"], event["detail"]) for event in self._heard]

    def work_until(self, kind: str, *, within: float = 20) -> dict[str, Any]:
        """Let the workers work until an event of this kind is on the bus; its detail."""

        def there() -> bool:
            self.work()
            return any(found == kind for found, _ in self.events())

        until(there, within=within)
        return next(detail for found, detail in self.events() if found == kind)

    def count(self, kind: str) -> int:
        return sum(found == kind for found, _ in self.events())

    def _receive(self, name: str) -> list[dict[str, Any]]:
        answer = self._clients("sqs").receive_message(
            QueueUrl=self.urls[name], MaxNumberOfMessages=10, AttributeNames=["All"]
        )
        return [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
                "eventSource": "aws:sqs",
                "eventSourceARN": queue_arn(name),
            }
            for message in answer.get("Messages", ())
        ]

    def _delete(self, name: str, handle: str) -> None:
        self._clients("sqs").delete_message(QueueUrl=self.urls[name], ReceiptHandle=handle)


def queue_arn(name: str) -> str:
    return f"arn:aws:sqs:us-east-1:{ACCOUNT}:{name}"


def make_table(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The endpoint of the embedded emulator, a child of this process."""
    with running_emulator(None, log=tmp_path_factory.mktemp("emulator") / "log") as endpoint:
        yield endpoint


@pytest.fixture
def loop(emulator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    for name, value in {
        "AWS_ENDPOINT_URL": emulator,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    urlopen(f"{emulator}/_ministack/reset", data=b"", timeout=10).close()
    aws.client.cache_clear()
    loop = Loop(aws.client, terminal=tmp_path / "outbox.jsonl")
    for name, value in loop.environment().items():
        monkeypatch.setenv(name, value)
    yield loop
    aws.client.cache_clear()


def requested(*, seconds: int = 3600) -> dict[str, Any]:
    event = ClarificationRequestedV1(
        question="abcdefghij",
        attempt="flat.2026-01-01T1000Z.3f2a1b",
        goal="flat",
        step="main",
        title="Find a flat",
        text="How many rooms?",
        options=("One", "Two"),
        ask=AskPolicy(timeout_seconds=seconds),
    )
    meta = meta_for(event, cause=None, clock=lambda: datetime(2026, 1, 1, 10, tzinfo=UTC))
    return {"detail-type": event.TYPE, "detail": json.loads(seal(event, meta=meta, blobs=InMemoryBlobs()))}


def answer(text: str, update: str) -> dict[str, str]:
    question = "abcdefghij"
    given = {"kind": "answer", "channel": "terminal", "update_id": update, "question": question}
    return {**given, "text": text, "by": "ada"}


@pytest.mark.emulator
def test_a_question_is_shown_and_its_answer_comes_back_as_an_event(loop: Loop, tmp_path: Path) -> None:
    loop.send("hear", requested())
    sent = loop.work_until("notification.sent.v1")
    (posted,) = read_outbox(tmp_path / "outbox.jsonl")[0]
    assert (posted.notice.text, posted.id) == ("How many rooms?", sent["data"]["message_id"])
    loop.send("updates", answer("2", "1"))
    detail = loop.work_until("clarification.answered.v1")
    assert (detail["data"]["answer"], detail["data"]["by"]) == ("Two", "ada")
    assert Meta.model_validate(detail["meta"]).causation_id == requested()["detail"]["meta"]["event_id"]
    loop.send("updates", answer("1", "2"))

    def told() -> bool:
        loop.work()
        return any("Already answered" in each.notice.text for each in read_outbox(tmp_path / "outbox.jsonl")[0])

    until(told)
    assert loop.count("clarification.answered.v1") == 1
    assert loop.count("clarification.expired.v1") == 0


@pytest.mark.emulator
def test_the_alarm_of_an_unanswered_question_publishes_its_expiry(loop: Loop) -> None:
    loop.send("hear", requested(seconds=1))
    loop.work_until("clarification.expired.v1", within=30)
    loop.send("updates", answer("2", "1"))
    loop.work()
    assert loop.count("clarification.answered.v1") == 0
    assert loop.count("clarification.expired.v1") == 1


@pytest.mark.emulator
def test_a_wait_that_was_stopped_is_taken_up_and_answered(loop: Loop) -> None:
    loop.send("hear", requested())
    loop.work_until("notification.sent.v1")
    states = aws.client("stepfunctions")
    states.stop_execution(executionArn=f"{loop.machine.replace('stateMachine', 'execution')}:abcdefghij-1")
    loop.send("deliver", {"kind": "recover"})

    def asked_again() -> bool:
        loop.work()
        return loop.count("notification.sent.v1") == 2

    until(asked_again)
    loop.send("updates", answer("two", "1"))
    assert loop.work_until("clarification.answered.v1")["data"]["answer"] == "Two"


@pytest.mark.emulator
def test_an_alarm_is_set_once_and_rings_in_the_real_time(loop: Loop) -> None:
    alarms = SchedulerAlarms(queue=queue_arn("heard"), role=ROLE, client=partial(aws.client, "scheduler"))
    for _ in range(2):
        alarms.set("abcdefghij-1", after=timedelta(0), message={"kind": "alarm", "detail-type": "x", "detail": {}})
    until(lambda: loop.events() == [("x", {})], within=20)
    assert aws.client("scheduler").list_schedules()["Schedules"] == []
