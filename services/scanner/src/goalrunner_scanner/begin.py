"""Open rows and say goal.due: first the row, then the event, then the note that it was said."""

from collections.abc import Mapping

from goalrunner_events import Meta, Trigger
from goalrunner_scanner.domain import Sight, stem
from goalrunner_scanner.judge import Decision
from goalrunner_scanner.rows import GoalRow
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.git.port import GoalsRepository
from goalrunner_shared.goals.attempts import AttemptFile
from goalrunner_shared.goals.parse import is_goal_path


def begin(
    decision: Decision,
    *,
    rows: Mapping[str, GoalRow],
    sight: Sight,
    parts: Parts,
    repository: GoalsRepository,
    cause: Meta,
) -> None:
    """Make the attempts of a decision, and say again what may not have been said. `rows` are those decided upon.

    Where somebody else was faster with a row, the attempt is theirs and they say so.
    """
    lost = {goal: _found(goal, attempt, sight, repository) for goal, attempt in decision.lost.items()}
    opened = dict(decision.unsaid)
    for goal, row in {**lost, **decision.due}.items():
        if written := _opened(goal, row, rows.get(goal), parts):
            opened[goal] = written
    if not opened:
        return
    parts.publisher.publish(*(row.event(goal) for goal, row in opened.items()), cause=cause)
    for goal, row in opened.items():
        # Refused when the result came in meanwhile: then nobody asks any more.
        parts.rows.replace(goal, row.model_copy(update={"published": True}))


def _opened(goal: str, row: GoalRow, before: GoalRow | None, parts: Parts) -> GoalRow | None:
    if before is None:
        return row.model_copy(update={"version": 1}) if parts.rows.add(goal, row) else None
    written = parts.rows.replace(goal, row.model_copy(update={"version": before.version}))
    return row.model_copy(update={"version": before.version + 1}) if written else None


def _found(goal: str, attempt: AttemptFile, sight: Sight, repository: GoalsRepository) -> GoalRow:
    """The row of an attempt that only its file still knows, as it was when it began."""
    return GoalRow(
        attempt=attempt.id,
        slot=attempt.slot,
        trigger=Trigger(attempt.trigger) if attempt.trigger in {*Trigger} else Trigger.MANUAL,
        path=_path_of(goal, attempt.goal_commit, sight, repository),
        commit=attempt.goal_commit,
    )


def _path_of(goal: str, commit: str, sight: Sight, repository: GoalsRepository) -> str:
    """Where the goal's file lies; at the attempt's own commit when it is gone by now."""
    if goal in sight.goals:
        return sight.goals[goal][0]
    paths = (entry.path for entry in repository.entries(commit, "goals"))
    return next((path for path in paths if is_goal_path(path) and stem(path) == goal), f"goals/{goal}.md")
