import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools.logging import Logger

from goalrunner_shared.entrypoint import App, Handler, Retry, Routes, Together, retry_soon, sqs_handler
from goalrunner_events import BlobRef, Event, GoalDueV1, NotificationSentV1, StepSuspendedV1, Trigger
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.bootstrap import Parts, event_reader
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.errors import PermanentError, TransientError
from goalrunner_shared.messages import Message
from goalrunner_shared.publisher import RecordingPublisher, meta_for
from goalrunner_shared.rows import InMemoryRows

NOW = datetime(2026, 1, 1, 10, tzinfo=UTC)
Record = dict[str, Any]
Json = dict[str, Any]


class Context:
    def get_remaining_time_in_millis(self) -> int:
        return 4_500


def attempt(number: int) -> str:
    return f"a.2026-01-01T1000Z.{number:06x}"


def suspended(number: int) -> StepSuspendedV1:
    return StepSuspendedV1(attempt=attempt(number), goal="a", step="main", fence=1)


def sent(number: int = 0) -> NotificationSentV1:
    return NotificationSentV1(notification=f"n{number}", channel="terminal", message_id="m")


def due() -> GoalDueV1:
    return GoalDueV1(attempt=attempt(0), goal="a", path="goals/a.md", commit="c", slot=NOW, trigger=Trigger.SCHEDULE)


def envelope(event: Event) -> Json:
    meta = meta_for(event, cause=None, clock=fixed_clock(NOW)).model_dump(mode="json")
    return {
        "version": "0",
        "id": "00000000-0000-0000-0000-000000000000",
        "source": event.SOURCE,
        "detail-type": event.TYPE,
        "detail": {"meta": meta, "data": event.model_dump(mode="json")},
    }


def record(body: str | Json | Event, message_id: str = "m", *, receives: int = 1) -> Record:
    if isinstance(body, Event):
        body = envelope(body)
    return {
        "messageId": message_id,
        "receiptHandle": f"handle-{message_id}",
        "body": body if isinstance(body, str) else json.dumps(body),
        "attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": "1767261600000"},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:goalrunner-executor-execute",
    }


@dataclass
class Bench:
    """A function with the fakes round it; `seen` is what its routes were given, call by call."""

    blobs: InMemoryBlobs = field(default_factory=InMemoryBlobs)
    rows: InMemoryRows = field(default_factory=InMemoryRows)
    log: StringIO = field(default_factory=StringIO)
    seen: list[Any] = field(default_factory=list)
    retried: list[tuple[str, str]] = field(default_factory=list)
    composed: int = 0

    def __post_init__(self) -> None:
        self.publisher = RecordingPublisher(clock=fixed_clock(NOW), blobs=self.blobs)

    @property
    def parts(self) -> Parts:
        logger = Logger(service=f"bench-{uuid4()}", stream=self.log)
        return Parts(publisher=self.publisher, rows=self.rows, blobs=self.blobs, clock=fixed_clock(NOW), logger=logger)

    def see(self, message: Message[Any]) -> None:
        self.seen.append(message.body)

    def handler(self, routes: Routes | None = None, *, retry: Retry | None = None) -> Handler:
        def compose() -> App:
            self.composed += 1
            parts = self.parts
            known: Routes = {StepSuspendedV1: self.see} if routes is None else routes
            return App(read=event_reader(parts), routes=known, retry=retry or self.note, logger=parts.logger)

        return sqs_handler(compose)

    def note(self, record: Any, error: BaseException) -> None:
        self.retried.append((record.message_id, type(error).__name__))

    def logged(self) -> list[Json]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


@pytest.fixture
def bench() -> Bench:
    return Bench()


def run(handler: Handler, *records: Record) -> list[str]:
    """The ids of the messages that stay in the queue."""
    answer = handler({"Records": list(records)}, Context())
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def without(body: Json, *path: str) -> Json:
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return body


def changed(*path: str, value: Any) -> Json:
    body = envelope(suspended(0))
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return body


def referring(**reference: Any) -> Json:
    body = without(envelope(suspended(0)), "detail", "data")
    body["detail"]["data_ref"] = {"key": "events/there", "sha256": "0" * 64, "bytes": 1, **reference}
    return body


BROKEN: dict[str, tuple[str | Json, str, str]] = {
    "not JSON": ("{not json", "MalformedMessage", "not an event envelope"),
    "an empty body": ("", "MalformedMessage", "not an event envelope"),
    "a list": ("[1, 2]", "MalformedMessage", "not an event envelope"),
    "null": ("null", "MalformedMessage", "not an event envelope"),
    "no detail-type": (without(envelope(sent()), "detail-type"), "MalformedMessage", "KeyError('detail-type')"),
    "no detail": (without(envelope(sent()), "detail"), "MalformedMessage", "KeyError('detail')"),
    "a detail-type that is no text": (changed("detail-type", value=["x"]), "MalformedMessage", "detail-type is no"),
    "an unknown type": (changed("detail-type", value="goal.lost.v1"), "MalformedMessage", "'goal.lost.v1'"),
    "an unknown version": (changed("detail-type", value="goal.due.v9"), "MalformedMessage", "'goal.due.v9'"),
    "a type that is not heard here": (envelope(due()), "MalformedMessage", "nothing here handles a GoalDueV1"),
    "a detail that is text": (changed("detail", value="{}"), "MalformedMessage", "detail is no object"),
    "no meta": (without(envelope(suspended(0)), "detail", "meta"), "MalformedMessage", "meta: Field required"),
    "no event id": (without(envelope(suspended(0)), "detail", "meta", "event_id"), "MalformedMessage", "meta.event_id"),
    "hops 13": (changed("detail", "meta", "hops", value=13), "MalformedMessage", "meta.hops"),
    "hops -1": (changed("detail", "meta", "hops", value=-1), "MalformedMessage", "meta.hops"),
    "an instant without zone": (
        changed("detail", "meta", "occurred_at", value="2026-01-01T10:00:00"),
        "MalformedMessage",
        "meta.occurred_at",
    ),
    "a field missing": (without(envelope(suspended(0)), "detail", "data", "fence"), "MalformedMessage", "fence: Field"),
    "a field of the wrong type": (changed("detail", "data", "attempt", value=7), "MalformedMessage", "attempt: Input"),
    "a number that is none": (
        json.dumps(changed("detail", "data", "fence", value=float("nan"))),
        "MalformedMessage",
        "NaN is not JSON",
    ),
    "an infinite number": (
        json.dumps(changed("detail", "data", "fence", value=float("inf"))),
        "MalformedMessage",
        "Infinity is not JSON",
    ),
    "an attempt that names another place": (
        changed("detail", "data", "attempt", value="../../away"),
        "MalformedMessage",
        "attempt: String should match",
    ),
    "half a character": (
        changed("detail", "data", "attempt", value="\ud800"),
        "MalformedMessage",
        "UnicodeEncodeError",
    ),
    "nested without end": ('{"detail-type":' + "[" * 100_000, "MalformedMessage", "RecursionError"),
    "deeply nested in a field": (
        changed("detail", "data", "attempt", value=json.loads("[" * 400 + "]" * 400)),
        "MalformedMessage",
        "attempt: Input",
    ),
    "a megabyte of type": (changed("detail-type", value="x" * 1_000_000), "MalformedMessage", "unknown event type"),
    "a megabyte of noise": ('"replay-name"' + "\x00" * 1_000_000, "MalformedMessage", "not an event envelope"),
    "neither data nor data_ref": (
        without(envelope(suspended(0)), "detail", "data"),
        "MalformedMessage",
        "either data or data_ref",
    ),
    "both data and data_ref": (
        changed("detail", "data_ref", value=referring()["detail"]["data_ref"]),
        "MalformedMessage",
        "either data or data_ref",
    ),
    "a data_ref without a hash": (referring(sha256="abc"), "MalformedMessage", "data_ref.sha256"),
    "a data_ref that is text": (changed("detail", "data_ref", value="s3://x"), "MalformedMessage", "data_ref"),
    "a data_ref to nothing": (referring(key="events/none"), "TransientError", "no object at events/none"),
    "a data_ref to something else": (referring(), "PermanentError", "not the one that was referred to"),
    "a data_ref to what is no event": (
        referring(key="events/noise", sha256="6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        "MalformedMessage",
        "body: Invalid JSON",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_event_stays_in_the_queue_with_its_named_error_and_harms_no_other(bench: Bench, kind: str) -> None:
    body, error, problem = BROKEN[kind]
    bench.blobs.objects = {"events/there": b"something", "events/noise": b"\x00"}
    before = dict(bench.blobs.objects)
    records = (record(suspended(1), "good-1"), record(body, "bad"), record(suspended(2), "good-2"))

    assert run(bench.handler(), *records) == ["bad"]

    assert bench.seen == [suspended(1), suspended(2)]
    assert bench.retried == [("bad", error)]
    [line] = [line for line in bench.logged() if line["message"] == "message not handled"]
    assert (line["message_id"], line["error_type"]) == ("bad", error)
    assert problem in line["error"]
    assert len(json.dumps(line)) < 20_000
    assert (bench.publisher.published, bench.rows.items, bench.blobs.objects) == ([], {}, before)


def test_all_broken_events_at_once_stop_nobody(bench: Bench) -> None:
    bad = [record(body, f"bad-{number}") for number, (body, _, _) in enumerate(BROKEN.values())]
    bench.blobs.objects = {"events/there": b"something", "events/noise": b"\x00"}
    failed = run(bench.handler(), *bad, record(suspended(1), "good"))
    assert sorted(failed) == sorted(each["messageId"] for each in bad)
    assert bench.seen == [suspended(1)]


def test_only_bad_records_are_all_named_and_nothing_is_raised(bench: Bench) -> None:
    assert run(bench.handler(), record("x", "one"), record("y", "two")) == ["one", "two"]


def test_a_whole_character_in_two_halves_is_fine(bench: Bench) -> None:
    body = json.dumps(changed("detail", "meta", "trace_id", value="😀"))
    assert "\\ud83d" in body
    assert run(bench.handler(), record(body)) == []
    assert bench.seen == [suspended(0)]


def test_unknown_fields_are_ignored(bench: Bench) -> None:
    body = changed("detail", "data", "added_later", value=1)
    assert run(bench.handler(), record(body)) == []
    assert bench.seen == [suspended(0)]


def test_data_from_the_bucket_is_handled_like_any_other(bench: Bench) -> None:
    content = suspended(1).model_dump_json().encode()
    ref = BlobRef(key="events/big", sha256=sha256(content).hexdigest(), bytes=len(content))
    bench.blobs.put(ref.key, content)
    assert run(bench.handler(), record(referring(**ref.model_dump()))) == []
    assert bench.seen == [suspended(1)]


def test_what_the_archive_replays_is_acknowledged_and_not_handled(bench: Bench) -> None:
    body = {**envelope(suspended(1)), "replay-name": "repair"}
    assert run(bench.handler(), record(body, "replayed"), record(suspended(2), "live")) == []
    assert bench.seen == [suspended(2)]
    assert bench.retried == []


def test_an_event_that_only_speaks_of_a_replay_is_handled(bench: Bench) -> None:
    body = changed("detail", "meta", "trace_id", value='"replay-name"')
    body["detail"]["data"]["replay-name"] = "x"
    assert run(bench.handler(), record(body)) == []
    assert len(bench.seen) == 1


def test_a_message_says_how_it_came_and_how_long_there_is(bench: Bench) -> None:
    messages: list[Message[Any]] = []
    run(bench.handler({StepSuspendedV1: messages.append}), record(suspended(1), "m7", receives=3))
    [message] = messages
    assert (message.message_id, message.receive_count, message.remaining()) == ("m7", 3, 4.5)
    assert message.meta.event_id == suspended(1).event_id()


def failing(*bad: Event, error: Exception) -> Callable[[Event], None]:
    def check(event: Event) -> None:
        if event in bad:
            raise error

    return check


@pytest.mark.parametrize(
    "error", [TransientError("later"), PermanentError("never"), RuntimeError("bug"), KeyError("x")]
)
def test_a_handler_that_raises_fails_its_own_record_alone(bench: Bench, error: Exception) -> None:
    check = failing(suspended(2), error=error)

    def handle(message: Message[StepSuspendedV1]) -> None:
        check(message.body)
        bench.see(message)

    records = [record(suspended(number), f"m{number}") for number in (1, 2, 3)]
    assert run(bench.handler({StepSuspendedV1: handle}), *records) == ["m2"]
    assert bench.seen == [suspended(1), suspended(3)]
    [line] = bench.logged()
    assert line["error_type"] == type(error).__name__
    # What we expect is a line; what we did not foresee comes with its traceback.
    assert ("exception" in line) == (not isinstance(error, TransientError))


def together(bench: Bench, check: Callable[[Event], None]) -> Routes:
    def handle(messages: Sequence[Message[Any]]) -> None:
        bench.seen.append([message.body for message in messages])
        for message in messages:
            check(message.body)

    return {StepSuspendedV1: Together(handle)}


def test_together_takes_a_batch_in_one_call_and_in_order(bench: Bench) -> None:
    events = [suspended(number) for number in range(4)]
    handler = bench.handler(together(bench, failing(error=TransientError())))
    assert run(handler, *(record(event, event.attempt) for event in events)) == []
    assert bench.seen == [events]


def test_together_tries_one_by_one_when_the_batch_fails(bench: Bench) -> None:
    events = [suspended(number) for number in range(3)]
    handler = bench.handler(together(bench, failing(events[1], error=TransientError("later"))))
    assert run(handler, *(record(event, event.attempt) for event in events)) == [attempt(1)]
    assert bench.seen == [events, [events[0]], [events[1]], [events[2]]]
    assert bench.retried == [(attempt(1), "TransientError")]


def test_together_with_a_single_message_is_tried_once(bench: Bench) -> None:
    handler = bench.handler(together(bench, failing(suspended(1), error=TransientError("later"))))
    assert run(handler, record(suspended(1), "m")) == ["m"]
    assert bench.seen == [[suspended(1)]]


def test_together_gets_only_what_could_be_read(bench: Bench) -> None:
    handler = bench.handler(together(bench, failing(error=TransientError())))
    assert run(handler, record(suspended(1), "m1"), record("x", "bad"), record(suspended(2), "m2")) == ["bad"]
    assert bench.seen == [[suspended(1), suspended(2)]]


def test_each_kind_goes_to_its_own_route(bench: Bench) -> None:
    other: list[Any] = []
    routes: Routes = {StepSuspendedV1: bench.see, NotificationSentV1: lambda message: other.append(message.body)}
    assert (
        run(bench.handler(routes), record(suspended(1), "m1"), record(sent(), "m2"), record(suspended(2), "m3")) == []
    )
    assert (bench.seen, other) == ([suspended(1), suspended(2)], [sent()])


def test_a_kill_is_not_taken_for_a_failed_record(bench: Bench) -> None:
    def killed(message: Message[Any]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(bench.handler({StepSuspendedV1: killed}), record(suspended(1)))


def test_a_retry_that_fails_costs_the_others_nothing(bench: Bench) -> None:
    def unreachable(record: Any, error: BaseException) -> None:
        raise OSError("no queue there")

    handler = bench.handler(retry=unreachable)
    assert run(handler, record("x", "bad-1"), record(suspended(1), "good"), record("y", "bad-2")) == ["bad-1", "bad-2"]
    assert bench.seen == [suspended(1)]


def test_it_is_composed_at_the_first_event_and_once(bench: Bench) -> None:
    handler = bench.handler()
    assert bench.composed == 0
    run(handler, record(suspended(1)))
    run(handler, record(suspended(2)))
    assert bench.composed == 1
    assert bench.seen == [suspended(1), suspended(2)]


def test_one_batch_remembers_nothing_of_the_last(bench: Bench) -> None:
    handler = bench.handler()
    assert run(handler, record("x", "bad")) == ["bad"]
    assert run(handler, record(suspended(1), "good")) == []


class Sqs:
    def __init__(self) -> None:
        self.visibilities: list[tuple[str, str, int]] = []

    def get_queue_url(self, *, QueueName: str) -> Mapping[str, str]:  # noqa: N803
        return {"QueueUrl": f"http://queues/{QueueName}"}

    def change_message_visibility(self, *, QueueUrl: str, ReceiptHandle: str, VisibilityTimeout: int) -> None:  # noqa: N803
        self.visibilities.append((QueueUrl, ReceiptHandle, VisibilityTimeout))


@pytest.mark.parametrize("receives", [1, 3, 50])
def test_what_is_malformed_comes_again_at_once_so_that_it_is_dead_soon(bench: Bench, receives: int) -> None:
    sqs = Sqs()
    run(bench.handler(retry=retry_soon(lambda: sqs, chance=lambda: 1.0)), record("x", "bad", receives=receives))
    assert sqs.visibilities == [("http://queues/goalrunner-executor-execute", "handle-bad", 0)]


@pytest.mark.parametrize(("receives", "seconds"), [(1, 2), (2, 6), (3, 18), (4, 54), (7, 300), (1_000, 300)])
@pytest.mark.parametrize("error", [TransientError("later"), ValueError("bug")])
def test_what_may_succeed_later_comes_again_after_a_backoff(
    bench: Bench, receives: int, seconds: int, error: Exception
) -> None:
    def fails(message: Message[Any]) -> None:
        raise error

    sqs = Sqs()
    retry = retry_soon(lambda: sqs, chance=lambda: 1.0)
    run(bench.handler({StepSuspendedV1: fails}, retry=retry), record(suspended(1), "m", receives=receives))
    assert [visibility for _, _, visibility in sqs.visibilities] == [seconds]


@pytest.mark.parametrize("module", ["goalrunner_shared.entrypoint", "goalrunner_shared.bootstrap"])
def test_importing_the_entry_point_loads_no_heavy_library(module: str) -> None:
    # Powertools loads the bare package botocore (0.3 ms); its weight lies in what a client needs.
    heavy = (
        "boto3",
        "botocore.session",
        "botocore.client",
        "git",
        "anthropic",
        "yaml",
        "jsonschema",
        "genai_prices",
        "pytest",
    )
    code = f"import sys, {module}; print(*sorted(set({heavy!r}) & set(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, encoding="utf-8")
    assert ran.stdout.split() == []
