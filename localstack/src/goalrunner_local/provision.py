"""Make in a cloud what the manifests say has to exist; made twice it is the same."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goalrunner_local.cloud import ACCOUNT, Cloud
from goalrunner_local.emulator import REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/goalrunner-local"
CONSOLE = "goalrunner-console"

Topology = Mapping[str, Any]


@dataclass(frozen=True)
class Provisioned:
    """Addresses of what was made: queue name → URL, machine name → ARN; `console` hears every event."""

    topology: Topology
    queue_urls: Mapping[str, str]
    machine_arns: Mapping[str, str]
    console: str


def provision(cloud: Cloud, topology: Topology, *, services: Path, scheduled: bool) -> Provisioned:
    """Make everything; the schedules are on only where `scheduled`."""
    _bus(cloud, topology["bus"])
    _bucket(cloud, topology["bucket"])
    for table in topology["tables"]:
        _table(cloud, table)
    urls = {name: _queue(cloud, name, queue) for name, queue in topology["queues"].items()}
    for name, rule in topology["rules"].items():
        _rule(cloud, topology["bus"], name, pattern=rule["pattern"], queue=rule["queue"])
    for name, machine in topology["state_machines"].items():
        _machine(cloud, name, machine, topology["bus"], urls[machine["queue"]], services)
    for name, schedule in topology["schedules"].items():
        _schedule(cloud, name, schedule, on=scheduled)
    _console(cloud, topology["bus"])
    return provisioned(cloud, topology)


def provisioned(cloud: Cloud, topology: Topology) -> Provisioned:
    """The addresses of what was made before."""
    dead = (queue["dead_letter_queue"] for queue in topology["queues"].values())
    return Provisioned(
        topology=topology,
        queue_urls={name: _queue_url(cloud, name) for name in (*topology["queues"], *dead)},
        machine_arns={name: machine_arn(name) for name in topology["state_machines"]},
        console=_queue_url(cloud, CONSOLE),
    )


def queue_arn(name: str) -> str:
    """The ARN of a queue in the local account."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def machine_arn(name: str) -> str:
    """The ARN of a state machine in the local account."""
    return f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{name}"


def _bus(cloud: Cloud, name: str) -> None:
    events = cloud.client("events")
    try:
        events.create_event_bus(Name=name)
    except events.exceptions.ResourceAlreadyExistsException:
        return


def _bucket(cloud: Cloud, name: str) -> None:
    s3 = cloud.client("s3")
    try:
        s3.create_bucket(Bucket=name)
    except (s3.exceptions.BucketAlreadyOwnedByYou, s3.exceptions.BucketAlreadyExists):
        return


def _table(cloud: Cloud, name: str) -> None:
    dynamodb = cloud.client("dynamodb")
    try:
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
    except dynamodb.exceptions.ResourceInUseException:
        return


def _queue(cloud: Cloud, name: str, queue: Mapping[str, Any]) -> str:
    sqs = cloud.client("sqs")
    dead = queue["dead_letter_queue"]
    sqs.create_queue(QueueName=dead, Attributes={"MessageRetentionPeriod": "1209600"})
    redrive = {"deadLetterTargetArn": queue_arn(dead), "maxReceiveCount": queue["max_receives"]}
    attributes = {"VisibilityTimeout": str(queue["visibility"]), "RedrivePolicy": json.dumps(redrive)}
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    return url


def _queue_url(cloud: Cloud, name: str) -> str:
    url: str = cloud.client("sqs").get_queue_url(QueueName=name)["QueueUrl"]
    return url


def _rule(cloud: Cloud, bus: str, name: str, *, pattern: Mapping[str, Any], queue: str) -> None:
    events = cloud.client("events")
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern), State="ENABLED")
    target = {"Id": queue, "Arn": queue_arn(queue), "DeadLetterConfig": {"Arn": queue_arn(f"{queue}-dead")}}
    if queue == CONSOLE:
        del target["DeadLetterConfig"]
    events.put_targets(Rule=name, EventBusName=bus, Targets=[target])


def _console(cloud: Cloud, bus: str) -> None:
    cloud.client("sqs").create_queue(QueueName=CONSOLE)
    _rule(cloud, bus, CONSOLE, pattern={"source": [{"prefix": "goalrunner."}]}, queue=CONSOLE)


def _machine(cloud: Cloud, name: str, machine: Mapping[str, Any], bus: str, queue_url: str, services: Path) -> None:
    states = cloud.client("stepfunctions")
    text = (services / machine["service"] / machine["definition"]).read_text()
    definition = filled(text, deliver_queue_url=queue_url, bus=bus)
    try:
        states.create_state_machine(name=name, definition=definition, roleArn=ROLE)
    except states.exceptions.StateMachineAlreadyExists:
        states.update_state_machine(stateMachineArn=machine_arn(name), definition=definition)


def filled(definition: str, **values: str) -> str:
    """A state machine's definition with its `${name}` filled in, as Terraform's templatefile does it."""
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], definition)


def _schedule(cloud: Cloud, name: str, schedule: Mapping[str, Any], *, on: bool) -> None:
    scheduler = cloud.client("scheduler")
    message = {
        "detail-type": schedule["event"],
        "detail": {"data": {"trigger": "schedule", "slot": "<aws.scheduler.scheduled-time>"}},
    }
    wanted = {
        "Name": name,
        "ScheduleExpression": f"rate({schedule['minutes']} minutes)",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "State": "ENABLED" if on else "DISABLED",
        "Target": {"Arn": queue_arn(schedule["queue"]), "RoleArn": ROLE, "Input": json.dumps(message)},
    }
    try:
        scheduler.create_schedule(**wanted)
    except scheduler.exceptions.ConflictException:
        scheduler.update_schedule(**wanted)
