"""Who is due: the decision over what was seen, what was asked for and what the rows say. No side effects."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from graphlib import TopologicalSorter
from typing import Any

from goalrunner_events import Standing, Trigger
from goalrunner_scanner.domain import ACTIVE, DONE, Facts, Sight, Unreadable, has_no_report, stem
from goalrunner_scanner.rows import GoalRow
from goalrunner_shared.goals.attempts import AttemptFile, attempt_path
from goalrunner_shared.goals.ids import attempt_id
from goalrunner_shared.goals.source import readable


@dataclass(frozen=True)
class Asked:
    """What a scan is for. `only` are the goals to decide about (None: all)."""

    slot: datetime
    trigger: Trigger
    engines: Collection[str]
    request_id: str | None = None
    only: Collection[str] | None = None

    def attempt(self, goal: str) -> str:
        """The id of the attempt that this would make, the same in every repeat."""
        return attempt_id(goal, self.slot, self.trigger.value, self.request_id or "")


@dataclass
class Decision:
    """Standings as plain data for `ScanCompletedV1`, and what is to be done.

    `due` and `lost` are the rows to open (lost: attempts that only the repository still knows), by goal; `unsaid` the
    goals whose open row says that goal.due may not be on the bus. `doubtful`: a row knows more than the commit seen.
    """

    standings: list[dict[str, Any]] = field(default_factory=list)
    due: dict[str, GoalRow] = field(default_factory=dict)
    lost: dict[str, AttemptFile] = field(default_factory=dict)
    unsaid: dict[str, GoalRow] = field(default_factory=dict)
    doubtful: bool = False


def rows_needed(sight: Sight, asked: Asked) -> set[str]:
    """The goals whose row matters: few, even among ten thousand goals."""
    wanted = set(_candidates(sight, asked))
    needs = {need for goal in wanted if goal in sight.goals for need in sight.goals[goal][1].needs}
    return wanted | needs


def _candidates(sight: Sight, asked: Asked) -> Iterator[str]:
    if asked.trigger is Trigger.MANUAL:
        return iter(asked.only or ())
    if asked.only is not None:
        return (goal for goal in asked.only if goal in sight.goals)
    due = (goal for goal, (_, facts) in sight.goals.items() if facts.due)
    return iter({*due, *sight.planned})


def decide(sight: Sight, asked: Asked, rows: Mapping[str, GoalRow]) -> Decision:
    """How every goal stands; goals come before those that wait for them."""
    decision = Decision()
    close = set(_candidates(sight, asked))
    if asked.only is None:
        decision.standings = [_not_due(path, facts) for goal, (path, facts) in sight.goals.items() if goal not in close]
    for goal in _in_order(close, sight):
        _Case(sight, asked, rows, decision, goal).close()
    decision.standings += (
        _rejected(path, file) for path, file in sight.rejected.items() if asked.only is None or stem(path) in asked.only
    )
    return decision


def _not_due(path: str, facts: Facts) -> dict[str, Any]:
    return {
        "goal": facts.goal,
        "path": path,
        "title": facts.title,
        "standing": Standing.SKIPPED,
        "reason": facts.reason,
        "next_due": facts.next_due,
    }


def _rejected(path: str, file: Unreadable) -> dict[str, Any]:
    shown = readable(path)
    return {
        "goal": stem(shown),
        "path": shown,
        "title": shown,
        "standing": Standing.REJECTED,
        "reason": readable(f"{path}:{file.line}: {file.problem}; {file.hint}"),
    }


def _in_order(goals: Iterable[str], sight: Sight) -> Iterator[str]:
    """By priority and name, but each after what it waits for."""
    ranked = sorted(goals, key=lambda goal: (sight.goals[goal][1].priority if goal in sight.goals else 0, goal))
    known = set(ranked)
    graph = TopologicalSorter[str]()
    for goal in ranked:
        needs = sight.goals[goal][1].needs if goal in sight.goals else ()
        graph.add(goal, *(need for need in needs if need in known))
    return iter(tuple(graph.static_order()))


@dataclass(frozen=True)
class _Case:
    """One goal that may be due, or whose attempt is open."""

    sight: Sight
    asked: Asked
    rows: Mapping[str, GoalRow]
    decision: Decision
    goal: str

    def close(self) -> None:
        """Add the goal's standing, and what is to be done about it."""
        row, planned = self.rows.get(self.goal), self.sight.planned.get(self.goal)
        if row is not None and not row.closed:
            self._open(row)
        elif planned is not None and (row is None or row.attempt != planned.id):
            self.decision.lost[self.goal] = planned
            self.decision.doubtful = True
            self._stand(Standing.OPEN, attempt=planned.id)
        elif self.goal not in self.sight.goals:
            self._unknown()
        else:
            self._closed(row, self.sight.goals[self.goal][1])

    def _open(self, row: GoalRow) -> None:
        mine = row.attempt == self.asked.attempt(self.goal)
        self._stand(Standing.DUE if mine else Standing.OPEN, attempt=row.attempt)
        if not row.published:
            self.decision.unsaid[self.goal] = row

    def _closed(self, row: GoalRow | None, facts: Facts) -> None:
        self.decision.doubtful |= _is_ahead(row, facts)
        reason = self._obstacle(row, facts)
        if reason is not None:
            self._stand(Standing.SKIPPED, reason=reason)
            return
        self.decision.due[self.goal] = GoalRow(
            attempt=self.asked.attempt(self.goal),
            slot=self.asked.slot,
            trigger=self.asked.trigger,
            request_id=self.asked.request_id,
            path=self.sight.goals[self.goal][0],
            commit=self.sight.commit,
        )
        self._stand(Standing.DUE, attempt=self.asked.attempt(self.goal))

    def _obstacle(self, row: GoalRow | None, facts: Facts) -> str | None:
        """Why a goal without an open attempt is not due; None: it is."""
        manual = self.asked.trigger is Trigger.MANUAL
        if manual and facts.status != ACTIVE:
            return f"status is {facts.status}"
        if not manual and not facts.due:
            return facts.reason
        if not manual and row is not None and row.slot >= self.asked.slot:
            return f"ran in this slot or after it: {row.attempt}"
        if attempt_path(self.asked.attempt(self.goal)) in self.sight.attempts:
            return f"was done already: {self.asked.attempt(self.goal)}"
        if self.sight.held is not None:
            return f"waits until this is repaired: {self.sight.held}"
        return self._wait(facts) or _missing_engine(facts.engine, self.asked.engines)

    def _wait(self, facts: Facts) -> str | None:
        for need in facts.needs:
            if need not in self.sight.goals:
                return f"waits for {need}, whose file is invalid"
            row, needed = self.rows.get(need), self.sight.goals[need][1]
            self.decision.doubtful |= _is_ahead(row, needed)
            if self._is_open(need, row):
                return f"waits for {need}, which is being worked on"
            if needed.outcome != DONE:
                return (
                    f"waits for {need}, whose last attempt is {needed.outcome}"
                    if needed.outcome
                    else f"waits for {need}"
                )
        return None

    def _is_open(self, goal: str, row: GoalRow | None) -> bool:
        if row is not None and not row.closed:
            return True
        planned = self.sight.planned.get(goal)
        lost = planned is not None and (row is None or row.attempt != planned.id)
        return lost or goal in self.decision.due

    def _unknown(self) -> None:
        if not any(stem(path) == self.goal for path in self.sight.rejected):
            self._stand(Standing.SKIPPED, reason=f"no file below goals/ is called {self.goal}.md")

    def _stand(self, standing: Standing, *, reason: str | None = None, attempt: str | None = None) -> None:
        path, facts = self.sight.goals.get(self.goal, ("", None))
        if facts is None and self.asked.only is None:
            # its attempt goes on, but there is no goal file that could stand in a table
            return
        self.decision.standings.append(
            {
                "goal": self.goal,
                "path": path,
                "title": facts.title if facts else self.goal,
                "standing": standing,
                "reason": reason,
                "attempt": attempt,
                "next_due": facts.next_due if facts and standing is Standing.SKIPPED else None,
            }
        )


def _is_ahead(row: GoalRow | None, facts: Facts) -> bool:
    """Whether a result was reported that the commit seen does not show."""
    return row is not None and row.closed and has_no_report(row.attempt, facts)


def _missing_engine(engine: str, available: Collection[str]) -> str | None:
    if engine in available:
        return None
    if engine == "claude-api":
        return "needs a model: set ANTHROPIC_API_KEY"
    return f"the engine {engine} is not available here"
