from collections.abc import Iterator
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from goalrunner_shared.blobs import S3Blobs
from goalrunner_shared.clock import system_clock
from goalrunner_shared.conformance.blobs import BlobsConformance
from goalrunner_shared.conformance.on_aws import AwsBus, Clients, new_blobs, new_rows
from goalrunner_shared.conformance.publisher import CAUSE, PublisherConformance, sent
from goalrunner_shared.conformance.rows import Account, RowsConformance
from goalrunner_shared.errors import GoalrunnerError, TransientError
from goalrunner_shared.publisher import EventBridgePublisher
from goalrunner_shared.rows import DynamoRows


@pytest.fixture(scope="module")
def clients() -> Iterator[Clients]:
    """Clients of moto, which runs in this process."""
    with pytest.MonkeyPatch.context() as environment, mock_aws():
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            environment.delenv(name, raising=False)
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield boto3.client


class TestS3Blobs(BlobsConformance):
    @pytest.fixture
    def blobs(self, clients: Clients) -> S3Blobs:
        return new_blobs(clients)


class TestDynamoRows(RowsConformance):
    @pytest.fixture
    def rows(self, clients: Clients) -> DynamoRows:
        return new_rows(clients)


class TestEventBridgePublisher(PublisherConformance):
    @pytest.fixture
    def bus(self, clients: Clients) -> AwsBus:
        return AwsBus(clients)


def refusing(client: BaseClient, *, status: int, code: str) -> BaseClient:
    """The client as if the service answered every call with this error."""

    def refuse(model: Any, **_: Any) -> None:
        raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, model.name)

    client.meta.events.register("before-call", refuse)
    return client


def exercised(client: Any) -> Iterator[Any]:
    """Every call that an adapter of ours makes, one after the other."""
    service = client.meta.service_model.service_name
    blobs, rows = S3Blobs("b", lambda: client), DynamoRows("t", lambda: client)
    publisher = EventBridgePublisher(bus="b", client=lambda: client, blobs=blobs, clock=system_clock)
    row = Account(version=1)
    calls: dict[str, list[partial[Any]]] = {
        "s3": [
            partial(blobs.put, "k", b""),
            partial(blobs.put_new, "k", b""),
            partial(blobs.get, "k"),
            partial(lambda: list(blobs.keys(""))),
        ],
        "dynamodb": [
            partial(rows.get, Account, "k"),
            partial(rows.add, "k", row),
            partial(rows.replace, "k", row),
            partial(rows.remove, "k", row),
            partial(lambda: list(rows.all(Account))),
        ],
        "events": [partial(publisher.publish, sent(), cause=CAUSE)],
    }
    return iter(calls[service])


SERVICES = ("s3", "dynamodb", "events")


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("status", "code"), [(500, "InternalError"), (503, "SlowDown"), (400, "ThrottlingException")])
def test_trouble_on_the_other_side_is_transient(clients: Clients, service: str, status: int, code: str) -> None:
    for call in exercised(refusing(clients(service), status=status, code=code)):
        with pytest.raises(TransientError, match=code):
            call()


@pytest.mark.parametrize("service", SERVICES)
def test_a_refusal_for_a_reason_is_not_transient(clients: Clients, service: str) -> None:
    for call in exercised(refusing(clients(service), status=403, code="AccessDenied")):
        with pytest.raises(ClientError, match="AccessDenied") as refused:
            call()
        assert not isinstance(refused.value, GoalrunnerError)


@pytest.mark.parametrize("service", SERVICES)
def test_nobody_there_is_transient(service: str) -> None:
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=2)
    client = boto3.client(
        service,
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=config,
    )
    for call in exercised(client):
        with pytest.raises(TransientError) as refused:
            call()
        assert isinstance(refused.value.__cause__, EndpointConnectionError)


def test_a_write_that_another_write_is_in_the_way_of_is_not_taken_for_done(clients: Clients) -> None:
    s3 = refusing(clients("s3"), status=409, code="ConditionalRequestConflict")
    with pytest.raises(TransientError, match="is being written by somebody else"):
        S3Blobs("b", lambda: s3).put_new("k", b"")
