from collections.abc import Iterator
from functools import partial

import boto3
import pytest

from goalrunner_local.emulator import running_emulator
from goalrunner_shared.blobs import S3Blobs
from goalrunner_shared.conformance.blobs import BlobsConformance
from goalrunner_shared.conformance.on_aws import AwsBus, Clients, new_blobs, new_rows
from goalrunner_shared.conformance.publisher import PublisherConformance
from goalrunner_shared.conformance.rows import RowsConformance
from goalrunner_shared.rows import DynamoRows

pytestmark = pytest.mark.emulator


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Clients of the embedded emulator, a child of this process."""
    with running_emulator(None, log=tmp_path_factory.mktemp("emulator") / "log") as endpoint:
        yield partial(
            boto3.client,
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


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
