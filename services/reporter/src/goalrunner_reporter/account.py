"""What a goal's state block says after a report: the same, whatever order the reports come in."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from itertools import takewhile

from goalrunner_shared.goals.attempts import AttemptFile
from goalrunner_shared.goals.model import Goal
from goalrunner_shared.goals.schedule import Due, due
from goalrunner_shared.goals.state import GoalState

Rank = tuple[datetime, datetime, str]

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def rank(attempt: AttemptFile) -> Rank:
    """Which attempt is the later one: by slot, then by when it was planned, then by id."""
    return attempt.slot, attempt.planned_at, attempt.id


def settled(state: GoalState | None, ended: AttemptFile, others: Sequence[AttemptFile], *, goal: Goal) -> GoalState:
    """The state with `ended` counted, which it is not yet.

    `others` are the goal's other ended attempts: those of the state's own slot and later where `ended` is of a later
    slot, else all of them.
    """
    counted = _counted(state, ended, sorted(others, key=rank))
    assert counted.slot is not None
    standing = due(goal, counted, counted.slot)
    next_due = None if isinstance(standing, Due) else standing.next_due
    return counted.model_copy(update={"next_due": next_due})


def _counted(state: GoalState | None, ended: AttemptFile, others: Sequence[AttemptFile]) -> GoalState:
    if state is None or state.last_attempt is None or state.slot is None:
        return _in_turn(state or GoalState(), [*others, ended])
    last = next((rank(each) for each in others if each.id == state.last_attempt), None)
    last = last or (state.slot, _LONG_AGO, state.last_attempt)
    if rank(ended) < last:
        return _late(state, ended, others)
    # Attempts that were reported while the goal file could not be read are made up for here.
    return _in_turn(state, [*(each for each in others if rank(each) > last), ended])


def _in_turn(state: GoalState, attempts: Iterable[AttemptFile]) -> GoalState:
    return reduce(_after, sorted(attempts, key=rank), state)


def _after(state: GoalState, attempt: AttemptFile) -> GoalState:
    return state.model_copy(
        update={
            "last_attempt": attempt.id,
            "slot": attempt.slot,
            "outcome": attempt.status,
            "spent_usd": state.spent_usd + (attempt.cost_usd or Decimal(0)),
            "attempts": state.attempts + 1,
            "failures_in_row": state.failures_in_row + 1 if _failed(attempt) else 0,
            "no_progress_in_row": state.no_progress_in_row + 1 if _without_progress(attempt) else 0,
        }
    )


def _late(state: GoalState, ended: AttemptFile, others: Sequence[AttemptFile]) -> GoalState:
    """An older attempt than the last: its cost counts, and it may stand in a row of failures."""
    newest_first = sorted([*others, ended], key=rank, reverse=True)
    return state.model_copy(
        update={
            "spent_usd": state.spent_usd + (ended.cost_usd or Decimal(0)),
            "attempts": state.attempts + 1,
            "failures_in_row": sum(1 for _ in takewhile(_failed, newest_first)),
            "no_progress_in_row": sum(1 for _ in takewhile(_without_progress, newest_first)),
        }
    )


def _failed(attempt: AttemptFile) -> bool:
    return attempt.status == "failed"


def _without_progress(attempt: AttemptFile) -> bool:
    """Neither done, nor a file left behind, nor a criterion met."""
    return attempt.status != "done" and not attempt.artifacts and not any(each.met for each in attempt.evidence)
