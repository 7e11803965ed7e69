"""What a scan knows of each file: plain values, small enough to be kept for ten thousand goals.

Times are seconds since 1970 (UTC), as they are compared often and shown seldom.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from goalrunner_shared.goals.attempts import AttemptFile
from goalrunner_shared.goals.model import Goal
from goalrunner_shared.goals.parse import ParsedGoal
from goalrunner_shared.goals.schedule import Due, due

ACTIVE = "active"
DONE = "done"


class Facts(NamedTuple):
    """A valid goal file. `ran_as` and `outcome` are its last reported attempt, `needs` its depends_on.

    `due`, `reason` and `next_due` are the schedule's verdict: good for slots from `since` to before `until`.
    """

    blob: str
    goal: str
    title: str
    priority: int
    status: str
    engine: str
    needs: Sequence[str]
    ran_as: str | None
    outcome: str | None
    due: bool
    reason: str | None
    next_due: int | None
    since: int
    until: int | None

    def holds_in(self, slot: int) -> bool:
        """Whether the verdict may be used for this slot."""
        return self.since <= slot and (self.until is None or slot < self.until)


class Unreadable(NamedTuple):
    """An invalid file: where and why."""

    blob: str
    line: int
    problem: str
    hint: str


class Ended(NamedTuple):
    """An attempt file that has a result, or that nobody can read."""

    blob: str


Entry = Facts | Unreadable | Ended


@dataclass(frozen=True)
class Sight:
    """The repository at one commit, seen for one slot.

    `goals` by id with their path; `rejected` by path; `attempts` are the paths of all attempt files; `planned` by goal
    those without a result. `held` is what is wrong with `goalrunner.yaml`: nothing may begin meanwhile.
    """

    commit: str
    goals: Mapping[str, tuple[str, Facts]]
    rejected: Mapping[str, Unreadable]
    attempts: Collection[str]
    planned: Mapping[str, AttemptFile]
    held: str | None = None


def facts_of(blob: str, parsed: ParsedGoal, slot: datetime) -> Facts:
    """What is kept of a goal, with the verdict of its schedule for this slot and for how long that holds."""
    goal, state = parsed.goal, parsed.state
    verdict = due(goal, state, slot)
    is_due = isinstance(verdict, Due)
    next_due = None if isinstance(verdict, Due) or verdict.next_due is None else int(verdict.next_due.timestamp())
    since = int(slot.timestamp())
    return Facts(
        blob=blob,
        goal=goal.id,
        title=goal.title,
        priority=goal.priority,
        status=goal.status,
        engine=goal.agent.engine,
        needs=goal.depends_on,
        ran_as=state.last_attempt if state else None,
        outcome=state.outcome if state else None,
        due=is_due,
        reason=None if isinstance(verdict, Due) else verdict.reason,
        next_due=next_due,
        since=since,
        until=_until(since, next_due, None if goal.deadline is None else _end(goal, goal.deadline)),
    )


def _until(since: int, next_due: int | None, deadline: int | None) -> int | None:
    """A verdict changes when the goal becomes due and when its deadline passes, and at no other time."""
    ahead = [instant for instant in (next_due, deadline) if instant is not None and instant > since]
    return min(ahead, default=None)


def _end(goal: Goal, deadline: date) -> int | None:
    """When the deadline has passed: a plain date lasts until midnight in the schedule's zone."""
    if isinstance(deadline, datetime):
        return int(deadline.timestamp())
    if deadline == date.max:
        return None
    return int(datetime.combine(deadline + timedelta(days=1), time(), goal.schedule.zone).timestamp())


def stem(path: str) -> str:
    """The id that the goal file at `path` must have."""
    return path.rpartition("/")[2].removesuffix(".md")


def slot_of(attempt: str) -> str:
    """The slot in an attempt id, as text that sorts by time."""
    return attempt.split(".")[1]


def has_no_report(attempt: str, facts: Facts) -> bool:
    """Whether the goal's state block says nothing of this attempt, nor of a later one."""
    if facts.ran_as is None:
        return True
    return slot_of(attempt) >= slot_of(facts.ran_as) and attempt != facts.ran_as


def misfits(goals: Mapping[str, Facts], broken: Collection[str]) -> list[str]:
    """The paths that may not fit the other files, and a few more: ids used twice, unknown needs, circles."""
    first: dict[str, str] = {}
    found: list[str] = []
    waiting: dict[str, list[str]] = {}
    for path, facts in goals.items():
        other = first.setdefault(facts.goal, path)
        if other != path:
            found += (other, path)
        if facts.needs:
            waiting[facts.goal] = [*facts.needs]
    known = first.keys() | broken
    found += (first[goal] for goal, needs in waiting.items() if not known >= set(needs))
    found += (first[goal] for goal in _never_ready(waiting))
    return sorted(set(found))


def _never_ready(waiting: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Who is in a circle, or waits for somebody who is."""
    back: dict[str, list[str]] = {}
    left = {goal: [need for need in needs if need in waiting] for goal, needs in waiting.items()}
    for goal, needs in left.items():
        for need in needs:
            back.setdefault(need, []).append(goal)
    count = {goal: len(needs) for goal, needs in left.items()}
    ready = [goal for goal, number in count.items() if not number]
    while ready:
        for goal in back.get(ready.pop(), ()):
            count[goal] -= 1
            if not count[goal]:
                ready.append(goal)
    return (goal for goal, number in count.items() if number)
