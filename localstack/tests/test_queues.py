"""Queues seen from outside."""

import json
from typing import Protocol

import pytest

from goalrunner_local.cloud import Cloud
from goalrunner_local.queues import all_empty, attempts_given_up, depth, give_another_try, take_bodies

pytestmark = pytest.mark.emulator


class Bench(Protocol):
    cloud: Cloud
    url: str
    dead: str

    def send(self, *bodies: str) -> None: ...


def give_up(bench: Bench, *bodies: str) -> None:
    for body in bodies:
        bench.cloud.client("sqs").send_message(QueueUrl=bench.dead, MessageBody=body)


def of_attempt(attempt: str) -> str:
    return json.dumps({"detail-type": "goal.due.v1", "detail": {"meta": {"correlation_id": attempt}, "data": {}}})


def test_the_depth_counts_what_waits_what_is_handled_and_what_is_delayed(bench: Bench) -> None:
    sqs = bench.cloud.client("sqs")
    assert depth(bench.cloud, bench.url) == 0
    bench.send("waits", "is handled")
    sqs.receive_message(QueueUrl=bench.url, MaxNumberOfMessages=1)
    sqs.send_message(QueueUrl=bench.url, MessageBody="delayed", DelaySeconds=60)
    assert depth(bench.cloud, bench.url) == 3


def test_queues_are_empty_only_together(bench: Bench) -> None:
    assert all_empty(bench.cloud, [bench.url, bench.dead])
    give_up(bench, "parcel")
    assert not all_empty(bench.cloud, [bench.url, bench.dead])
    assert all_empty(bench.cloud, [bench.url])


def test_taking_bodies_removes_them(bench: Bench) -> None:
    bench.send('{"n": 1}', '{"n": 2}')
    assert sorted(body["n"] for body in take_bodies(bench.cloud, bench.url)) == [1, 2]
    assert depth(bench.cloud, bench.url) == 0
    assert take_bodies(bench.cloud, bench.url) == []


def test_another_try_moves_everything_back(bench: Bench) -> None:
    bodies = [f"parcel {n}" for n in range(12)]
    give_up(bench, *bodies)
    assert give_another_try(bench.cloud, dead=bench.dead, url=bench.url) == 12
    assert depth(bench.cloud, bench.dead) == 0
    sqs = bench.cloud.client("sqs")
    received = [
        message["Body"]
        for _ in range(2)
        for message in sqs.receive_message(QueueUrl=bench.url, MaxNumberOfMessages=10)["Messages"]
    ]
    assert sorted(received) == sorted(bodies)
    assert give_another_try(bench.cloud, dead=bench.dead, url=bench.url) == 0


def test_every_attempt_that_was_given_up_is_named_and_stays_there(bench: Bench) -> None:
    attempts = {f"shelf.2026-01-01T1000Z.{n:06x}" for n in range(25)}
    give_up(bench, *map(of_attempt, sorted(attempts)))
    for _ in range(2):
        assert set(attempts_given_up(bench.cloud, bench.dead)) == attempts
    assert give_another_try(bench.cloud, dead=bench.dead, url=bench.url) == 25


def test_what_is_no_event_is_given_up_without_an_attempt(bench: Bench) -> None:
    give_up(bench, "no JSON", "[]", '{"detail": null}', '{"kind": "wait"}', of_attempt("a.b.c"))
    assert list(attempts_given_up(bench.cloud, bench.dead)) == ["a.b.c"]
