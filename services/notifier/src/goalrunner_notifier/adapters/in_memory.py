"""The fakes of the notifier's ports: small real implementations without a network."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from goalrunner_events import ClarificationAnsweredV1, ClarificationExpiredV1
from goalrunner_notifier.ports import Fate, Notice, TooLate, WaitOrder
from goalrunner_shared.errors import TransientError

Send = Callable[[Mapping[str, object]], None]
Put = Callable[[str, Mapping[str, Any]], None]


@dataclass
class _Execution:
    order: WaitOrder
    token: str
    ends: float
    beat_ends: float
    fate: Fate = Fate.RUNNING
    outcome: tuple[Fate, str] | None = None

    @property
    def over(self) -> float:
        return min(self.ends, self.beat_ends)

    @property
    def waits(self) -> bool:
        return self.fate is Fate.RUNNING and self.outcome is None


class InMemoryWait:
    """The fake state machine: tokens go to `deliver`, events (type and detail) to `put`, as the real one does.

    `now` is the time in seconds; `tick()` ends what has run out, and every call does so first. While `is_slow`, an
    execution whose wait has ended goes on running and publishes when that is over.
    """

    def __init__(self, *, deliver: Send, put: Put, now: Callable[[], float]) -> None:
        self._deliver = deliver
        self._put = put
        self._now = now
        self._tokens = 0
        self.is_slow = False
        self.executions: dict[str, _Execution] = {}

    def start(self, order: WaitOrder) -> Fate:
        self.tick()
        found = self.executions.get(order.name)
        if found is not None:
            return found.fate
        self._tokens += 1
        now = self._now()
        execution = _Execution(
            order, f"fake-token-{self._tokens}", now + order.timeout_seconds, now + order.heartbeat_seconds
        )
        self.executions[order.name] = execution
        self._deliver(
            {"kind": "wait", "token": execution.token, "question": order.question, "generation": order.generation}
        )
        return Fate.RUNNING

    def fate(self, name: str) -> Fate:
        self.tick()
        return self.executions[name].fate if name in self.executions else Fate.UNKNOWN

    def answer(self, token: str, detail: str) -> None:
        self._waiting(token).outcome = (Fate.ANSWERED, detail)
        self.tick()

    def expire(self, token: str) -> None:
        execution = self._waiting(token)
        execution.outcome = (Fate.EXPIRED, execution.order.expired)
        self.tick()

    def beat(self, token: str) -> None:
        execution = self._waiting(token)
        execution.beat_ends = self._now() + execution.order.heartbeat_seconds

    def tick(self) -> None:
        """End the waits whose time or heartbeat has run out, and publish what has ended."""
        for execution in self.executions.values():
            if execution.waits and self._now() >= execution.over:
                execution.outcome = (Fate.EXPIRED, execution.order.expired)
            if execution.outcome and execution.fate is Fate.RUNNING and not self.is_slow:
                self._publish(execution, *execution.outcome)

    def run_out(self) -> None:
        """The machine's own time-out: end every wait now."""
        for execution in self.executions.values():
            execution.ends = self._now()
        self.tick()

    def stop(self) -> None:
        """Somebody aborts every execution: they end without an event."""
        for execution in self.executions.values():
            if execution.fate is Fate.RUNNING:
                execution.fate = Fate.LOST

    def forget(self) -> None:
        """What an emulator does when it is killed."""
        self.executions.clear()

    def _waiting(self, token: str) -> _Execution:
        self.tick()
        for execution in self.executions.values():
            if execution.token == token and execution.waits:
                return execution
        raise TooLate("nobody waits with this token")

    def _publish(self, execution: _Execution, fate: Fate, detail: str) -> None:
        event = ClarificationAnsweredV1 if fate is Fate.ANSWERED else ClarificationExpiredV1
        try:
            self._put(event.TYPE, json.loads(detail))
        except TransientError:
            execution.fate = Fate.LOST
        else:
            execution.fate = fate
        order, published = execution.order, "nothing" if execution.fate is Fate.LOST else fate.value
        self._deliver(
            {"kind": "ended", "question": order.question, "generation": order.generation, "published": published}
        )


@dataclass
class InMemoryAlarms:
    """The fake: alarms by name, rung by the test."""

    pending: dict[str, tuple[timedelta, Mapping[str, object]]] = field(default_factory=dict)

    def set(self, name: str, *, after: timedelta, message: Mapping[str, object]) -> None:
        self.pending.setdefault(name, (after, message))


class InMemoryChannel:
    """The fake: keeps what was sent and edited; `failures` are raised first, one for each send."""

    name = "in-memory"

    def __init__(self) -> None:
        self.sent: list[Notice] = []
        self.edits: list[tuple[str, Notice]] = []
        self.failures: list[Exception] = []

    def send(self, notice: Notice) -> str:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(notice)
        return f"message-{notice.key}"

    def edit(self, message_id: str, notice: Notice) -> None:
        self.edits.append((message_id, notice))
