"""When a goal is due: pure decisions over a goal, its state and a slot."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from goalrunner_shared.goals.model import DAY, Goal, Schedule
from goalrunner_shared.goals.state import GoalState

EARLIEST_AGAIN = timedelta(hours=6)


@dataclass(frozen=True)
class Due:
    """The goal is to be run in this slot."""


@dataclass(frozen=True)
class NotDue:
    """The goal is not to be run: why, for a table, and when it will be (None: nothing but a change makes it due)."""

    reason: str
    next_due: datetime | None = None


def due(goal: Goal, state: GoalState | None, slot: datetime) -> Due | NotDue:
    """Whether a goal whose last report left `state` is due in `slot`; a manual run does not ask."""
    if goal.status != "active":
        return NotDue(f"status is {goal.status}")
    if _deadline_passed(goal, slot):
        return NotDue(f"deadline {_shown(goal.deadline)} has passed")
    if (reason := _stopped(goal, state)) is not None:
        return NotDue(reason)
    if goal.schedule.manual:
        return NotDue("runs only when asked to")
    if goal.schedule.cron is not None:
        return NotDue("cron schedules are not supported yet")
    last = state.slot if state is not None else None
    if last is None and goal.schedule.every is not None:
        return Due()
    when = next_due(goal.schedule, last)
    if when is None:
        return NotDue("ran once, as scheduled")
    return Due() if slot >= when else NotDue(f"not due until {_shown(when)}", when)


def next_due(schedule: Schedule, last: datetime | None) -> datetime | None:
    """The instant (UTC) from which a goal is due that last ran in slot `last`; None where no hour makes it due again.

    With `every`, a goal that never ran has no such instant either: it is due at once.
    """
    if schedule.at is not None:
        instant = _at(schedule)
        return instant if last is None or last < instant else None
    if schedule.every is None or last is None:
        return None
    if schedule.around is not None:
        return _next_around(schedule, schedule.every, schedule.around, last)
    return (last + schedule.every).astimezone(UTC)


def _next_around(schedule: Schedule, every: timedelta, around: time, last: datetime) -> datetime:
    """The first `around` of the wall clock that is not more than 18 hours short of the full time.

    On the wall clock a change to or from summer time moves nothing. The 18 hours let a run that came late (a laptop
    opened in the evening) be followed by the next morning's, and still leave six hours between two runs.
    """
    earliest = last.astimezone(schedule.zone).replace(tzinfo=None) + every - (DAY - EARLIEST_AGAIN)
    local = datetime.combine(earliest.date(), around)
    if local < earliest:
        local += DAY
    return local.replace(tzinfo=schedule.zone).astimezone(UTC)


def _at(schedule: Schedule) -> datetime:
    assert isinstance(schedule.at, datetime)
    return (schedule.at if schedule.at.tzinfo else schedule.at.replace(tzinfo=schedule.zone)).astimezone(UTC)


def _deadline_passed(goal: Goal, slot: datetime) -> bool:
    """A plain date lasts until the end of that day in the schedule's zone."""
    if isinstance(goal.deadline, datetime):
        return slot >= goal.deadline
    return goal.deadline is not None and slot.astimezone(goal.schedule.zone).date() > goal.deadline


def _stopped(goal: Goal, state: GoalState | None) -> str | None:
    if state is None:
        return None
    counted = (
        ("max_attempts", goal.stop.max_attempts, state.attempts, "attempts"),
        ("max_failures_in_row", goal.stop.max_failures_in_row, state.failures_in_row, "failures in a row"),
        ("no_progress_runs", goal.stop.no_progress_runs, state.no_progress_in_row, "runs without progress"),
    )
    for key, limit, count, noun in counted:
        if limit is not None and count >= limit:
            return f"stopped after {count} {noun} ({key}: {limit})"
    return None


def _shown(moment: date | None) -> str:
    if isinstance(moment, datetime):
        return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return str(moment)
