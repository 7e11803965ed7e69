"""Every event on the bus → one object in the journal."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

from goalrunner_reporter.compose import journal_routes
from goalrunner_reporter.keep import Delivery, read_delivery
from goalrunner_shared.errors import MalformedMessage
from goalrunner_shared.journal import read_journal


def _record(event_id: str = "event-1", detail_type: str = "step.ready.v1", **envelope: Any) -> SQSRecord:
    meta = {"event_id": event_id, "correlation_id": "shelf.x", "occurred_at": "2026-01-01T10:00:00Z"}
    body = {"detail-type": detail_type, "detail": {"meta": meta, "data": {"goal": "shelf"}}, **envelope}
    return SQSRecord({"messageId": "m", "body": json.dumps(body), "attributes": {}})


def _keep(world: Any, parts: Any, record: SQSRecord) -> None:
    message = read_delivery(record)
    assert message is not None
    route = journal_routes(parts)[Delivery]
    assert callable(route)
    route(message)


@pytest.fixture
def parts(world: Any) -> Any:
    return world


def test_an_event_is_kept_whole_and_once(world: Any, parts: Any) -> None:
    _keep(world, parts, _record(id="first delivery"))
    _keep(world, parts, _record(id="second delivery"))
    assert list(world.blobs.objects) == ["journal/shelf.x/event-1.json"]
    [entry] = read_journal(world.blobs, "shelf.x")
    assert (entry.type, entry.envelope["id"]) == ("step.ready.v1", "first delivery")
    assert entry.envelope["detail"]["data"] == {"goal": "shelf"}


def test_an_event_of_a_type_that_nobody_here_knows_is_kept_too(world: Any, parts: Any) -> None:
    _keep(world, parts, _record(detail_type="moon.risen.v7"))
    assert read_journal(world.blobs, "shelf.x")[0].type == "moon.risen.v7"


def test_what_the_archive_replays_is_not_kept() -> None:
    assert read_delivery(_record(**{"replay-name": "repair"})) is None


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"detail-type": "a.b.v1", "detail": {"meta": {}}}'])
def test_what_is_no_event_is_malformed(body: str) -> None:
    with pytest.raises(MalformedMessage):
        read_delivery(SQSRecord({"messageId": "m", "body": body}))
