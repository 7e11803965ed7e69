"""The notifier's marks of what was done, in a real table."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import Any

import boto3
import pytest
from moto import mock_aws

from goalrunner_shared.errors import TransientError
from goalrunner_shared.once import PowertoolsOnce


def until(condition: Callable[[], bool], *, within: float = 15) -> None:
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        time.sleep(0.1)


def make_table(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )


class TestOnceOnMoto:
    @pytest.fixture
    def client(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with mock_aws():
            client = boto3.client("dynamodb")
            make_table(client)
            yield client

    def test_what_was_done_is_not_done_again_and_its_result_is_known(self, client: Any) -> None:
        messages = (f"message-{n}" for n in count(7))
        for _ in range(2):
            once = PowertoolsOnce("table", lambda: client)
            assert once.do("report-1", lambda: next(messages)) == "message-7"
        assert once.do("report-2", lambda: next(messages)) == "message-8"

    def test_an_error_takes_the_mark_away(self, client: Any) -> None:
        once = PowertoolsOnce("table", lambda: client)
        with pytest.raises(TransientError, match="503"):
            once.do("report-1", _unreachable)
        assert once.do("report-1", lambda: "message-7") == "message-7"

    def test_a_kill_blocks_its_key_until_the_lease_ends(self, client: Any) -> None:
        once = PowertoolsOnce("table", lambda: client, lease=5)
        with pytest.raises(KeyboardInterrupt):
            once.do("report-1", _killed)
        with pytest.raises(TransientError, match="report-1"):
            once.do("report-1", lambda: "message-7")

        def done() -> bool:
            with suppress(TransientError):
                return once.do("report-1", lambda: "message-7") == "message-7"
            return False

        until(done, within=20)


def _unreachable() -> str:
    raise TransientError("503")


def _killed() -> str:
    raise KeyboardInterrupt
