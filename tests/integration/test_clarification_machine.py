"""The clarification state machine itself, held to the same tests as its fake: on moto and on the embedded emulator."""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from goalrunner_local.emulator import running_emulator
from goalrunner_local.provision import filled
from goalrunner_notifier.adapters.state_machine import StateMachineWait
from goalrunner_notifier.conformance import (
    BOUND,
    SternConformance,
    TimeConformance,
    WaitConformance,
    begun,
    ended,
    order,
)
from goalrunner_notifier.ports import Fate

ROOT = Path(__file__).parents[2]
DEFINITION = ROOT / "services/notifier/clarification.asl.json"
ROLE = "arn:aws:iam::000000000000:role/clarification"
Clients = Callable[[str], Any]
_names = count(1)


def until(condition: Callable[[], bool], *, within: float = BOUND) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.1)


class MachineBench:
    """A state machine of its own, with its bus, the queue that the tokens come to and one that hears the bus."""

    def __init__(self, clients: Clients, definition: str | None = None, *, bus: str | None = None) -> None:
        name = f"bench-{next(_names)}"
        self._sqs = clients("sqs")
        self._messages: list[dict[str, Any]] = []
        self._events: list[dict[str, Any]] = []
        self._deliver = self._sqs.create_queue(QueueName=f"{name}-deliver")["QueueUrl"]
        self._heard = self._sqs.create_queue(QueueName=f"{name}-heard")["QueueUrl"]
        self._listen(clients("events"), name)
        machine = clients("stepfunctions").create_state_machine(
            name=name,
            definition=filled(definition or DEFINITION.read_text(), deliver_queue_url=self._deliver, bus=bus or name),
            roleArn=ROLE,
        )
        self.wait = StateMachineWait(machine["stateMachineArn"], partial(clients, "stepfunctions"))

    def _listen(self, events: Any, name: str) -> None:
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._heard, AttributeNames=["QueueArn"])
        events.create_event_bus(Name=name)
        events.put_rule(Name=name, EventBusName=name, EventPattern=json.dumps({"source": ["goalrunner.notifier"]}))
        target = {"Id": "heard", "Arn": attributes["Attributes"]["QueueArn"]}
        events.put_targets(Rule=name, EventBusName=name, Targets=[target])

    def now(self) -> float:
        return time.monotonic()

    def messages(self) -> list[dict[str, Any]]:
        self._messages += self._take(self._deliver)
        return self._messages

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        self._events += self._take(self._heard)
        return [(event["detail-type"], event["detail"]) for event in self._events]

    def _take(self, queue: str) -> Iterator[dict[str, Any]]:
        while taken := self._sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in taken:
                self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                yield json.loads(message["Body"])

    def until(self, condition: Callable[[], bool], *, within: float = BOUND) -> None:
        until(condition, within=within)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clients]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield boto3.client


class TestOnMoto(WaitConformance, TimeConformance):
    @pytest.fixture
    def bench(self, moto: Clients) -> MachineBench:
        return MachineBench(moto)

    def test_what_the_bus_does_not_take_is_handed_back(self, moto: Clients) -> None:
        bench = MachineBench(moto, _impatient(DEFINITION.read_text()), bus="no-such-bus")
        bench.wait.expire(begun(bench, order(generation=2)))
        bench.until(lambda: bench.wait.fate("abcdefghij-2") is Fate.LOST)
        bench.until(lambda: len(bench.messages()) == 2)
        assert bench.messages()[1] == ended("nothing", generation=2)


def _impatient(definition: str) -> str:
    """The same machine without the day of tries."""
    machine = json.loads(definition)
    for state in machine["States"].values():
        state.pop("Retry", None)
    return json.dumps(machine)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Clients of the embedded emulator, a child of this process."""
    with running_emulator(None, log=tmp_path_factory.mktemp("emulator") / "log") as endpoint:
        yield partial(
            boto3.client,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


@pytest.mark.emulator
class TestOnTheEmulator(WaitConformance, SternConformance):
    """All but the machine's own clocks, which the emulator does not keep."""

    @pytest.fixture
    def bench(self, emulator: Clients) -> MachineBench:
        return MachineBench(emulator)
