"""Manifest, state machine, settings, queues' messages, and what an import costs."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from goalrunner_events import ClarificationAnsweredV1, ClarificationExpiredV1
from goalrunner_notifier import compose, handler
from goalrunner_notifier.inbox import (
    AlarmRang,
    AnswerGiven,
    Recover,
    WaitBegun,
    WaitEnded,
    delivery_reader,
    update_reader,
)
from goalrunner_notifier.settings import NotifierSettings
from goalrunner_shared.clock import system_clock
from goalrunner_shared.errors import InputError, MalformedMessage
from goalrunner_shared.manifest import read_manifest

ROOM = Path(__file__).parents[1]
ENVIRONMENT = {
    "GOALRUNNER_BUS": "goalrunner",
    "GOALRUNNER_BUCKET": "goalrunner",
    "GOALRUNNER_TABLE": "goalrunner-notifier",
    "GOALRUNNER_STATE_MACHINE": "arn:aws:states:us-east-1:000000000000:stateMachine:clarification",
    "GOALRUNNER_DELIVER_QUEUE": "arn:aws:sqs:us-east-1:000000000000:goalrunner-notifier-deliver",
    "GOALRUNNER_SCHEDULER_ROLE": "arn:aws:iam::000000000000:role/alarms",
    "GOALRUNNER_TERMINAL": "outbox.jsonl",
    "GOALRUNNER_ASK_CAP": "",
}


def machine() -> Any:
    return json.loads((ROOM / "clarification.asl.json").read_text())


def record(body: object) -> SQSRecord:
    text = body if isinstance(body, str) else json.dumps(body)
    return SQSRecord({"messageId": "m", "body": text, "attributes": {"ApproximateReceiveCount": "3"}})


def test_every_function_of_the_manifest_has_its_handler() -> None:
    manifest = read_manifest(ROOM / "service.yaml")
    for name, function in manifest.functions.items():
        assert function.handler == f"goalrunner_notifier.handler.{name}"
        assert callable(getattr(handler, name))


def test_hear_routes_what_the_manifest_says_it_hears() -> None:
    hears = read_manifest(ROOM / "service.yaml").functions["hear"].hears
    routes = compose.hear_app(NotifierSettings.load(ENVIRONMENT)).routes
    assert sorted(kind.TYPE for kind in routes) == sorted(hears)  # type: ignore[attr-defined]


def test_the_queues_route_every_kind_of_message() -> None:
    settings = NotifierSettings.load(ENVIRONMENT)
    assert set(compose.deliver_app(settings).routes) == {WaitBegun, AlarmRang, WaitEnded, Recover}
    assert set(compose.updates_app(settings).routes) == {AnswerGiven}


def test_the_machine_publishes_the_events_of_the_language() -> None:
    for state, event in (("PublishAnswered", ClarificationAnsweredV1), ("PublishExpired", ClarificationExpiredV1)):
        (entry,) = machine()["States"][state]["Parameters"]["Entries"]
        assert (entry["DetailType"], entry["Source"]) == (event.TYPE, event.SOURCE)


def test_every_waiting_state_has_both_its_times() -> None:
    waiting = [
        state for state in machine()["States"].values() if state.get("Resource", "").endswith("waitForTaskToken")
    ]
    assert len(waiting) == 1
    for state in waiting:
        assert {"TimeoutSecondsPath", "HeartbeatSecondsPath"} <= state.keys()


def test_what_the_machine_sends_can_be_read() -> None:
    for state in ("WaitForAnswer", "TellNotifier"):
        body = machine()["States"][state]["Parameters"]["MessageBody"]
        filled = {key.removesuffix(".$"): value for key, value in body.items()} | {
            "generation": 1,
            **({"published": "nothing"} if state == "TellNotifier" else {}),
        }
        assert delivery_reader(system_clock)(record(filled)) is not None


def test_the_cap_may_be_left_empty_and_must_be_a_number() -> None:
    assert NotifierSettings.load(ENVIRONMENT).longest_wait() is None
    with pytest.raises(InputError, match="GOALRUNNER_ASK_CAP"):
        NotifierSettings.load({**ENVIRONMENT, "GOALRUNNER_ASK_CAP": "soon"})


def test_an_unknown_channel_is_named() -> None:
    with pytest.raises(InputError, match="GOALRUNNER_CHANNEL"):
        NotifierSettings.load({**ENVIRONMENT, "GOALRUNNER_CHANNEL": "pigeon"})


@pytest.mark.parametrize(
    "body",
    [
        "not json",
        "[]",
        {"kind": "sing"},
        {"kind": "wait", "question": "q", "generation": 1},
        {"kind": "wait", "token": "", "question": "q", "generation": 1},
        {"kind": "alarm", "question": "q", "generation": 0},
        {"kind": "recover", "extra": 1},
    ],
)
def test_a_broken_delivery_is_malformed(body: object) -> None:
    with pytest.raises(MalformedMessage):
        delivery_reader(system_clock)(record(body))


@pytest.mark.parametrize(
    "changed", [{"text": "  "}, {"text": "x" * 20_001}, {"update_id": ""}, {"question": None}, {"kind": "wait"}]
)
def test_a_broken_update_is_malformed(changed: dict[str, object]) -> None:
    whole = {"kind": "answer", "channel": "terminal", "update_id": "1", "question": "q", "text": "1", "by": "ada"}
    assert update_reader(system_clock)(record(whole)) is not None
    with pytest.raises(MalformedMessage):
        update_reader(system_clock)(record(whole | changed))


def test_a_malformed_wait_does_not_tell_its_token() -> None:
    with pytest.raises(MalformedMessage) as caught:
        delivery_reader(system_clock)(
            record({"kind": "wait", "token": "secret" * 999, "question": "q", "generation": 1})
        )
    assert "secret" not in str(caught.value)


def test_importing_the_handler_loads_nothing_heavy() -> None:
    heavy = {"boto3", "botocore.session", "git", "anthropic"}
    code = f"import sys, goalrunner_notifier.handler; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
