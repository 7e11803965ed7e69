"""The fake state machine does what the real one does."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from goalrunner_notifier.adapters.in_memory import InMemoryWait
from goalrunner_notifier.conformance import (
    BOUND,
    SternConformance,
    TimeConformance,
    WaitConformance,
    begun,
    ended,
    order,
)
from goalrunner_notifier.ports import Fate
from goalrunner_shared.errors import TransientError


class FakeBench:
    def __init__(self) -> None:
        self._seconds = 0.0
        self._messages: list[dict[str, Any]] = []
        self._events: list[tuple[str, dict[str, Any]]] = []
        self.bus_is_down = False
        self.wait = InMemoryWait(
            deliver=lambda message: self._messages.append(dict(message)), put=self._put, now=self.now
        )

    def now(self) -> float:
        return self._seconds

    def messages(self) -> list[dict[str, Any]]:
        return self._messages

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        return self._events

    def until(self, condition: Callable[[], bool], *, within: float = BOUND) -> None:
        end = self._seconds + within
        while not condition():
            assert self._seconds < end
            self._seconds += 0.1

    def _put(self, kind: str, detail: Mapping[str, Any]) -> None:
        if self.bus_is_down:
            raise TransientError("the bus is down")
        self._events.append((kind, dict(detail)))


class TestInMemoryWait(WaitConformance, TimeConformance, SternConformance):
    @pytest.fixture
    def bench(self) -> FakeBench:
        return FakeBench()

    def test_what_the_bus_does_not_take_is_handed_back(self, bench: FakeBench) -> None:
        token = begun(bench, order(generation=2))
        bench.bus_is_down = True
        bench.wait.expire(token)
        assert bench.messages()[1:] == [ended("nothing", generation=2)]
        assert bench.wait.fate("abcdefghij-2") is Fate.LOST
