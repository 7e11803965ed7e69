"""Following a run until it has nothing left to do: what `up --once`, `run` and `demo` wait for."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from goalrunner_events import NotificationSentV1, ScanCompletedV1
from goalrunner_local.questions import all_questions, line_of
from goalrunner_local.system import LocalSystem
from goalrunner_local.view import GoalLine, RunView
from goalrunner_shared.errors import TransientError

# How long nothing may move before an attempt that has not ended counts as stuck, and an open question as delivered.
STUCK_AFTER = 8.0
DELIVERED_WITHIN = 15.0
SETTLED_WITHIN = 20.0


@dataclass
class Run:
    """One slot (or one goal) being followed; `changed` is called with each line that an event has changed."""

    system: LocalSystem
    view: RunView = field(default_factory=RunView)
    changed: Callable[[GoalLine], None] = lambda line: None
    await_answers: bool = False
    _delivered: set[str] = field(default_factory=set)
    _answered: dict[str, float] = field(default_factory=dict)
    _request: str | None = None
    _started: float = field(default_factory=time.monotonic)
    _quiet_since: float | None = None

    def start(self, *, slot: datetime, goal: str | None = None, request_id: str | None = None) -> None:
        """Ask for the scan, and bring along what an earlier run left open."""
        self.system.take_up_questions()
        self._request = self.system.request_scan(slot=slot, goal=goal, request_id=request_id)

    def until_done(self) -> None:
        """Return when every goal is reported or waits for the human, or when it is certain that no more will come."""
        while not self.is_done():
            self.step()

    def step(self, *, wait: int = 1) -> None:
        """Take in what has happened, hand over what was answered."""
        for meta, event in self.system.events(wait=wait):
            self._quiet_since = None
            if isinstance(event, NotificationSentV1) and event.question:
                self._delivered.add(event.question)
            line = self.view.apply(meta, event)
            if isinstance(event, ScanCompletedV1):
                self._bring_along_questions()
            if line is not None:
                self.changed(line)
        self._hand_over_answers()

    def _hand_over_answers(self) -> None:
        # After a crash a question is asked again before it can be answered: its answer waits for that.
        asked = {question.id for line in self.view.goals.values() for question in line.questions}
        ready = asked & self._delivered if time.monotonic() - self._started < SETTLED_WITHIN else None
        for question in self.system.hand_over_answers(only=ready):
            self._answered[question] = time.monotonic()

    def _bring_along_questions(self) -> None:
        for question in all_questions(self.system.cloud):
            if question.is_open:
                self.view.bring_along(question.request.goal, question.request.attempt, line_of(question))

    def is_done(self) -> bool:
        """Whether nothing more will come without a person."""
        if self.view.scan is None or self.view.scan.request != self._request:
            return self._has_stood_still(SETTLED_WITHIN) and self._no_scan()
        if not self.system.is_quiet():
            self._quiet_since = None
            return False
        if self.view.open_lines:
            return self._has_stood_still(STUCK_AFTER) and self._give_up(self.view.open_lines)
        return self._questions_are_settled()

    def _questions_are_settled(self) -> bool:
        waiting = [line.asks for line in self.view.goals.values() if line.asks]
        if self.await_answers and waiting:
            return False
        just_answered = [each for each in waiting if self._is_recent(each.id)]
        undelivered = [each for each in waiting if each.id not in self._delivered]
        return not just_answered and (not undelivered or self._has_stood_still(DELIVERED_WITHIN))

    def _is_recent(self, question: str) -> bool:
        return time.monotonic() - self._answered.get(question, -SETTLED_WITHIN) < SETTLED_WITHIN

    def _has_stood_still(self, seconds: float) -> bool:
        if not self.system.is_quiet():
            self._quiet_since = None
            return False
        if self._quiet_since is None:
            self._quiet_since = time.monotonic()
        return time.monotonic() - self._quiet_since > seconds

    def _no_scan(self) -> bool:
        log = self.system.state.logs / "goalrunner-scanner-scan.log"
        raise TransientError(f"the goals could not be read: see {log}, then start up again")

    def _give_up(self, lines: Iterable[GoalLine]) -> bool:
        dead = self.system.given_up()
        logs = self.system.state.logs
        for line in lines:
            function = dead.get(line.attempt or "")
            line.outcome = "failed"
            line.reason = (
                f"{function} could not handle its message: see {logs / (function + '.log')}, then start up again"
                if function
                else f"nobody is working on it any more: see {logs}, then start up again"
            )
        return True
