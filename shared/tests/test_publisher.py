import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from goalrunner_events import Event, Meta
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.conformance.publisher import CAUSE, NOW, PublisherConformance, finished, sent
from goalrunner_shared.errors import TransientError
from goalrunner_shared.messages import read_event
from goalrunner_shared.publisher import EventBridgePublisher, RecordingPublisher


class RecordingBus:
    def __init__(self) -> None:
        self.blobs = InMemoryBlobs()
        self.publisher = RecordingPublisher(clock=fixed_clock(NOW), blobs=self.blobs)

    def delivered(self, count: int) -> Sequence[tuple[Meta, Event]]:
        assert len(self.publisher.published) == count
        return self.publisher.published


class TestRecordingPublisher(PublisherConformance):
    @pytest.fixture
    def bus(self) -> RecordingBus:
        return RecordingBus()


class EventsClient:
    """Stands for boto3's client: remembers each call, and refuses entries whose place is in `refused`."""

    def __init__(self, *, refused: Mapping[int, str] | None = None) -> None:
        self.calls: list[list[dict[str, str]]] = []
        self._refused = refused or {}

    def put_events(self, *, Entries: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        self.calls.append(Entries)
        answers = [
            {"ErrorCode": self._refused[place], "ErrorMessage": "no"} if place in self._refused else {"EventId": "x"}
            for place in range(len(Entries))
        ]
        return {"FailedEntryCount": sum("ErrorCode" in answer for answer in answers), "Entries": answers}


class ClientBus:
    def __init__(self, client: EventsClient) -> None:
        self.client = client
        self.blobs = InMemoryBlobs()
        clock = fixed_clock(NOW)
        self.publisher = EventBridgePublisher(bus="goalrunner", client=lambda: client, blobs=self.blobs, clock=clock)

    def delivered(self, count: int) -> Sequence[tuple[Meta, Event]]:
        entries = [entry for call in self.client.calls for entry in call]
        assert len(entries) == count
        return [read_event(each["DetailType"], json.loads(each["Detail"]), blobs=self.blobs) for each in entries]


class TestEventBridgePublisher(PublisherConformance):
    @pytest.fixture
    def bus(self) -> ClientBus:
        return ClientBus(EventsClient())


def test_an_entry_says_bus_source_and_type() -> None:
    bus = ClientBus(EventsClient())
    bus.publisher.publish(sent(), cause=CAUSE)
    [[entry]] = bus.client.calls
    assert (entry["EventBusName"], entry["Source"], entry["DetailType"]) == (
        "goalrunner",
        "goalrunner.notifier",
        "notification.sent.v1",
    )


def test_a_call_has_ten_entries_at_most_and_keeps_their_order() -> None:
    bus = ClientBus(EventsClient())
    bus.publisher.publish(*(sent(number) for number in range(23)), cause=CAUSE)
    assert [len(call) for call in bus.client.calls] == [10, 10, 3]
    assert [event for _, event in bus.delivered(23)] == [sent(number) for number in range(23)]


def test_a_call_stays_below_a_megabyte() -> None:
    bus = ClientBus(EventsClient())
    bus.publisher.publish(*(finished("x" * 199_000) for _ in range(9)), cause=CAUSE)
    sizes = [sum(len(entry["Detail"]) for entry in call) for call in bus.client.calls]
    assert len(bus.client.calls) > 1
    assert max(sizes) < 1_000_000


def test_an_event_that_the_bus_refuses_is_an_error_that_names_its_code() -> None:
    bus = ClientBus(EventsClient(refused={1: "InternalFailure"}))
    with pytest.raises(TransientError, match=r"the bus refused 1 events: .'InternalFailure'"):
        bus.publisher.publish(sent(0), sent(1), sent(2), cause=CAUSE)


def test_after_a_refusal_nothing_more_is_put() -> None:
    bus = ClientBus(EventsClient(refused={0: "ThrottlingException"}))
    with pytest.raises(TransientError):
        bus.publisher.publish(*(sent(number) for number in range(23)), cause=CAUSE)
    assert len(bus.client.calls) == 1


def test_nothing_is_put_before_the_data_that_it_refers_to() -> None:
    class Order(InMemoryBlobs):
        def put(self, key: str, content: bytes) -> None:
            assert client.calls == []
            super().put(key, content)

    client, blobs = EventsClient(), Order()
    publisher = EventBridgePublisher(bus="b", client=lambda: client, blobs=blobs, clock=fixed_clock(NOW))
    publisher.publish(sent(), finished("x" * 300_000), cause=CAUSE)
    assert len(blobs.objects) == 1
    assert len(client.calls) == 1
