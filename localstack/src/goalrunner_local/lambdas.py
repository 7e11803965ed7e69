"""The functions as real ones: zips in the emulator's Lambda, fed by event source mappings, instead of workers."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goalrunner_local.build import ROOT, build_zip
from goalrunner_local.cloud import Cloud
from goalrunner_local.functions import RunSettings, function_environment
from goalrunner_local.provision import ROLE, Provisioned, queue_arn
from goalrunner_local.state import StateFolder
from goalrunner_shared.errors import TransientError

RUNTIME = "python3.12"
ACTIVE_WITHIN = 30.0
# Lambda sets these itself and refuses them.
RESERVED = frozenset(
    {"AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
)


def deploy(cloud: Cloud, made: Provisioned, state: StateFolder, settings: RunSettings) -> None:
    """Create or update every function and feed it from its queue."""
    services = sorted({function["service"] for function in made.topology["functions"].values()})
    zips = {service: build_zip(service, folder=ROOT / "build") for service in services}
    for name, function in made.topology["functions"].items():
        environment = function_environment(cloud, made, state, settings, name=name)
        _function(cloud, name, function, code=zips[function["service"]], environment=environment)
    for name, function in made.topology["functions"].items():
        _wait_until_active(cloud, name)
        _mapping(cloud, name, batch=function["batch"])


def withdraw(cloud: Cloud, made: Provisioned) -> None:
    """Stop feeding the functions: what they were given last is theirs, the rest stays in the queues."""
    client = cloud.client("lambda")
    for name in made.topology["functions"]:
        for mapping in client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
            client.delete_event_source_mapping(UUID=mapping["UUID"])


def _function(
    cloud: Cloud, name: str, function: Mapping[str, Any], *, code: Path, environment: Mapping[str, str]
) -> None:
    client = cloud.client("lambda")
    settings = {
        "FunctionName": name,
        "Runtime": RUNTIME,
        "Role": ROLE,
        "Handler": function["handler"],
        "Timeout": function["timeout"],
        "MemorySize": function["memory"],
        "Environment": {"Variables": {key: value for key, value in environment.items() if key not in RESERVED}},
    }
    try:
        client.create_function(**settings, Code={"ZipFile": code.read_bytes()})
    except client.exceptions.ResourceConflictException:
        client.update_function_code(FunctionName=name, ZipFile=code.read_bytes())
        client.update_function_configuration(**settings)


def _wait_until_active(cloud: Cloud, name: str) -> None:
    until = time.monotonic() + ACTIVE_WITHIN
    while time.monotonic() < until:
        found = cloud.client("lambda").get_function_configuration(FunctionName=name)
        if found.get("State", "Active") == "Active" and found.get("LastUpdateStatus", "Successful") == "Successful":
            return
        time.sleep(0.1)
    raise TransientError(f"the function {name} did not become active in {ACTIVE_WITHIN:.0f} s")


def _mapping(cloud: Cloud, name: str, *, batch: int) -> None:
    client = cloud.client("lambda")
    if client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
        return
    client.create_event_source_mapping(
        EventSourceArn=queue_arn(name),
        FunctionName=name,
        BatchSize=batch,
        FunctionResponseTypes=["ReportBatchItemFailures"],
        Enabled=True,
    )
