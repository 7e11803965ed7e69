import pytest

from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.conformance.blobs import BlobsConformance


class TestInMemoryBlobs(BlobsConformance):
    @pytest.fixture
    def blobs(self) -> InMemoryBlobs:
        return InMemoryBlobs()
