"""What the manifests describe, made in a real cloud."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import pytest

from goalrunner_local.cloud import Cloud
from goalrunner_local.provision import Provisioned, provision, provisioned, queue_arn
from goalrunner_local.queues import depth, take_bodies
from goalrunner_shared.manifest import Function, Manifest, Needs, Schedule, StateMachine
from goalrunner_shared.topology import fold

pytestmark = pytest.mark.emulator

SERVICES = Path(__file__).parents[2] / "services"
MACHINE = "goalrunner-notifier-clarification"
_numbers = count(1)


class Bench(Protocol):
    cloud: Cloud
    made: Provisioned
    name: str
    url: str
    dead: str

    def send(self, *bodies: str) -> None: ...


class Town:
    """Provisions a topology with everything in it; the same one again when it is called again."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.service = f"town{next(_numbers)}"

    def __call__(self, *, minutes: int = 120, timeout: int = 60, scheduled: bool = False) -> Provisioned:
        return provision(self.cloud, self._topology(minutes, timeout), services=SERVICES, scheduled=scheduled)

    def _topology(self, minutes: int, timeout: int) -> dict[str, Any]:
        run = Function(handler="tiny.run", timeout=timeout, hears=("goal.due.v1",))
        everything = Function(handler="tiny.journal", hears="all")
        slots = Schedule(to="run", says="scan.requested.v1", minutes=minutes)
        town = Manifest(
            service=self.service,
            description="A town",
            functions={"run": run, "journal": everything},
            needs=Needs(table=True),
            schedules={"slots": slots},
        )
        clarification = StateMachine(definition="clarification.asl.json", sends_to="deliver")
        notifier = Manifest(
            service="notifier",
            description="Asks",
            functions={"deliver": Function(handler="tiny.deliver")},
            state_machines={"clarification": clarification},
        )
        return fold([town, notifier])


@pytest.fixture
def town(cloud: Cloud) -> Town:
    return Town(cloud)


def put(cloud: Cloud, kind: str, detail: dict[str, Any], *, source: str = "goalrunner.planner") -> None:
    entry = {"EventBusName": "goalrunner", "Source": source, "DetailType": kind, "Detail": json.dumps(detail)}
    assert cloud.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0


def standing(cloud: Cloud, made: Provisioned) -> dict[str, Any]:
    """Everything that there is, as the cloud itself tells it, without what changes by being looked at."""
    sqs, events = cloud.client("sqs"), cloud.client("events")
    rules = events.list_rules(EventBusName="goalrunner")["Rules"]
    return {
        "queues": {
            url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout", "RedrivePolicy"]).get(
                "Attributes"
            )
            for url in sqs.list_queues()["QueueUrls"]
        },
        "rules": {rule["Name"]: rule.get("EventPattern") for rule in rules},
        "targets": {
            rule["Name"]: events.list_targets_by_rule(Rule=rule["Name"], EventBusName="goalrunner")["Targets"]
            for rule in rules
        },
        "tables": cloud.client("dynamodb").list_tables()["TableNames"],
        "buckets": [bucket["Name"] for bucket in cloud.client("s3").list_buckets()["Buckets"]],
        "schedules": [each["Name"] for each in cloud.client("scheduler").list_schedules()["Schedules"]],
        "machines": [each["name"] for each in cloud.client("stepfunctions").list_state_machines()["stateMachines"]],
        "addresses": (made.queue_urls, made.machine_arns, made.console),
    }


def test_making_it_twice_is_making_it_once(town: Town, cloud: Cloud) -> None:
    first = town()
    table = f"goalrunner-{town.service}"
    url = first.queue_urls[f"goalrunner-{town.service}-run"]
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody='{"kept": 1}')
    cloud.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"S": "b"}})
    cloud.client("s3").put_object(Bucket="goalrunner", Key="kept", Body=b"kept")
    before = standing(cloud, first)
    assert standing(cloud, town()) == before
    assert take_bodies(cloud, url) == [{"kept": 1}]
    assert cloud.client("dynamodb").scan(TableName=table)["Count"] == 1
    assert cloud.client("s3").get_object(Bucket="goalrunner", Key="kept")["Body"].read() == b"kept"


def test_what_has_changed_in_a_manifest_is_changed(town: Town, cloud: Cloud) -> None:
    made = town()
    town(timeout=100, minutes=30)
    url = made.queue_urls[f"goalrunner-{town.service}-run"]
    answer = cloud.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])
    assert answer["Attributes"]["VisibilityTimeout"] == "600"
    assert schedule(town, cloud)["ScheduleExpression"] == "rate(30 minutes)"


def test_the_addresses_can_be_found_again(town: Town, cloud: Cloud) -> None:
    made = town()
    assert provisioned(cloud, made.topology) == made


def schedule(town: Town, cloud: Cloud) -> dict[str, Any]:
    found: dict[str, Any] = cloud.client("scheduler").get_schedule(Name=f"goalrunner-{town.service}-slots")
    return found


def test_a_schedule_sends_the_scan_request_with_its_scheduled_time(town: Town, cloud: Cloud) -> None:
    town(scheduled=True)
    found = schedule(town, cloud)
    assert found["State"] == "ENABLED"
    assert found["ScheduleExpression"] == "rate(120 minutes)"
    assert found["Target"]["Arn"] == queue_arn(f"goalrunner-{town.service}-run")
    assert json.loads(found["Target"]["Input"]) == {
        "detail-type": "scan.requested.v1",
        "detail": {"data": {"trigger": "schedule", "slot": "<aws.scheduler.scheduled-time>"}},
    }


def test_a_schedule_is_off_where_one_slot_is_run(town: Town, cloud: Cloud) -> None:
    town(scheduled=True)
    town(scheduled=False)
    assert schedule(town, cloud)["State"] == "DISABLED"


def test_the_state_machine_is_the_notifiers_own_with_its_addresses_filled_in(town: Town, cloud: Cloud) -> None:
    made = town()
    found = cloud.client("stepfunctions").describe_state_machine(stateMachineArn=made.machine_arns[MACHINE])
    definition = found["definition"]
    assert "${" not in definition
    states = json.loads(definition)["States"]
    wait = states["WaitForAnswer"]["Parameters"]
    assert wait["QueueUrl"] == made.queue_urls["goalrunner-notifier-deliver"]
    assert wait["MessageBody"]["token.$"] == "$$.Task.Token"
    assert states["PublishAnswered"]["Parameters"]["Entries"][0]["EventBusName"] == "goalrunner"


def test_a_rule_delivers_the_full_envelope(bench: Bench) -> None:
    put(bench.cloud, "step.ready.v1", {"meta": {"event_id": "e-1"}, "data": {"goal": "shelf", "n": 1.5}})
    [body] = take_bodies(bench.cloud, bench.url, wait=5)
    assert body["detail-type"] == "step.ready.v1"
    assert body["source"] == "goalrunner.planner"
    assert body["detail"] == {"meta": {"event_id": "e-1"}, "data": {"goal": "shelf", "n": 1.5}}
    assert {"id", "time", "account", "region"} <= body.keys()


def test_a_rule_delivers_nothing_else(bench: Bench, until: Callable[..., None]) -> None:
    put(bench.cloud, "step.finished.v1", {"meta": {}, "data": {}})
    put(bench.cloud, "step.ready.v1", {"meta": {}, "data": {}})
    until(lambda: depth(bench.cloud, bench.url) == 1)
    assert [body["detail-type"] for body in take_bodies(bench.cloud, bench.url)] == ["step.ready.v1"]


def drained(cloud: Cloud, url: str) -> Iterator[dict[str, Any]]:
    while bodies := take_bodies(cloud, url):
        yield from bodies


def test_the_console_and_whoever_hears_all_get_every_event_of_ours(
    town: Town, cloud: Cloud, until: Callable[..., None]
) -> None:
    made = town()
    listeners = (made.console, made.queue_urls[f"goalrunner-{town.service}-journal"])
    for url in listeners:
        list(drained(cloud, url))
    put(cloud, "elsewhere.happened.v1", {}, source="somebody.else")
    put(cloud, "goal.due.v1", {}, source="goalrunner.scanner")
    put(cloud, "notification.sent.v1", {}, source="goalrunner.notifier")
    for url in listeners:
        until(lambda url=url: depth(cloud, url) == 2)
        assert {body["detail-type"] for body in drained(cloud, url)} == {"goal.due.v1", "notification.sent.v1"}


def test_what_was_received_five_times_is_in_the_dead_letter_queue(bench: Bench) -> None:
    bench.send("parcel")
    sqs = bench.cloud.client("sqs")
    for _ in range(5):
        assert sqs.receive_message(QueueUrl=bench.url, VisibilityTimeout=0)["Messages"][0]["Body"] == "parcel"
    assert depth(bench.cloud, bench.dead) == 0
    assert "Messages" not in sqs.receive_message(QueueUrl=bench.url, VisibilityTimeout=0)
    assert sqs.receive_message(QueueUrl=bench.dead)["Messages"][0]["Body"] == "parcel"


def test_the_visibility_is_six_times_the_timeout(bench: Bench) -> None:
    answer = bench.cloud.client("sqs").get_queue_attributes(QueueUrl=bench.url, AttributeNames=["VisibilityTimeout"])
    assert answer["Attributes"]["VisibilityTimeout"] == "360"
