"""The shell: cheap to import, wired as the manifest says, and able to read what the Scheduler sends."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from goalrunner_events import EVENTS, ScanRequestedV1
from goalrunner_scanner.compose import routes
from goalrunner_scanner.reader import scan_reader
from goalrunner_scanner.settings import ScannerSettings
from goalrunner_shared.errors import MalformedMessage
from goalrunner_shared.manifest import read_manifest

HEAVY = ("boto3", "git", "anthropic", "jsonschema")
NINE = datetime(2026, 1, 1, 9, 59, tzinfo=UTC)


def _record(detail: object, **envelope: object) -> SQSRecord:
    body = {"detail-type": "scan.requested.v1", "detail": detail, **envelope}
    attributes = {"SentTimestamp": str(int(NINE.timestamp() * 1000)), "ApproximateReceiveCount": "2"}
    return SQSRecord({"messageId": "m1", "body": json.dumps(body), "attributes": attributes})


def _scheduled(slot: str) -> dict[str, object]:
    return {"data": {"trigger": "schedule", "slot": slot}}


def test_importing_the_handler_loads_nothing_heavy() -> None:
    script = f"import sys, goalrunner_scanner.handler; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_manifest_hears_what_the_routes_handle(worlds: Any) -> None:
    manifest = read_manifest(Path(__file__).parents[1] / "service.yaml")
    world = worlds()
    table = routes(parts=world, repository=world.repository, engines=())
    assert {EVENTS[name] for name in manifest.functions["scan"].hears} == set(table)
    assert all(EVENTS[name].SOURCE == "goalrunner.scanner" for name in manifest.says)
    assert manifest.schedules["slots"].minutes == 120


def test_the_engines_are_a_list_with_commas() -> None:
    told = {"GOALRUNNER_BUS": "b", "GOALRUNNER_BUCKET": "c", "GOALRUNNER_REPOSITORY": "r"}
    assert ScannerSettings.load(told).available() == {"claude-api", "claude-code", "codex", "command"}
    assert ScannerSettings.load({**told, "GOALRUNNER_ENGINES": "command, codex"}).available() == {"command", "codex"}


@pytest.mark.parametrize(
    ("slot", "fixed", "expected"),
    [
        ("2026-01-01T14:00:00Z", False, 14),
        ("2026-01-01T15:59:59Z", True, 14),
        ("<aws.scheduler.scheduled-time>", False, 8),
        ("<aws.scheduler.scheduled-time>", True, 10),
    ],
)
def test_what_the_scheduler_sends_gets_its_slot_and_meta(worlds: Any, slot: str, fixed: bool, expected: int) -> None:
    read = scan_reader(worlds().parts(), clock_is_fixed=fixed)
    message, again = read(_record(_scheduled(slot))), read(_record(_scheduled(slot)))
    assert message is not None
    assert message.body == ScanRequestedV1(slot=datetime(2026, 1, 1, expected, tzinfo=UTC))
    assert message.meta.event_id == message.body.event_id()
    assert message.meta.correlation_id == f"scan.2026-01-01T{expected:02d}00Z"
    assert message.receive_count == 2
    assert again == message


def test_an_event_from_the_bus_is_read_like_everywhere_else(worlds: Any) -> None:
    world = worlds()
    sent = world.message(ScanRequestedV1(goal="shelf", trigger="manual", request_id="r"))
    detail = {"meta": sent.meta.model_dump(mode="json"), "data": sent.body.model_dump(mode="json")}
    message = scan_reader(world.parts(), clock_is_fixed=False)(_record(detail))
    assert message is not None
    assert (message.body, message.meta) == (sent.body, sent.meta)


def test_what_the_archive_replays_is_left_alone(worlds: Any) -> None:
    record = _record(_scheduled("2026-01-01T14:00:00Z"), **{"replay-name": "again"})
    assert scan_reader(worlds().parts(), clock_is_fixed=False)(record) is None


@pytest.mark.parametrize("detail", [{}, {"data": None}, {"data": {"slot": "2026-01-01T14:00:00Z"}}, [], None, "x"])
def test_a_malformed_request_is_never_acknowledged(worlds: Any, detail: object) -> None:
    with pytest.raises(MalformedMessage):
        scan_reader(worlds().parts(), clock_is_fixed=False)(_record(detail))
