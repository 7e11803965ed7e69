"""Say of each version of an invalid file, once, what is wrong with it."""

from goalrunner_events import GoalRejectedV1, Meta
from goalrunner_scanner.domain import Sight
from goalrunner_scanner.rows import RejectedRow
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.goals.source import readable


def reject(sight: Sight, *, parts: Parts, cause: Meta) -> None:
    """Publish goal.rejected for the versions of which it was not said yet.

    While `goalrunner.yaml` is invalid it alone is: what the goals lack without it is not their fault.
    """
    unsaid: dict[str, tuple[RejectedRow, GoalRejectedV1]] = {}
    for path, file in list(sight.rejected.items())[: 1 if sight.held else None]:
        event = GoalRejectedV1(
            path=readable(path), blob=file.blob, line=file.line, problem=readable(file.problem), hint=file.hint
        )
        row = _row_of(event, parts)
        if not row.published:
            unsaid[event.event_id()] = row, event
    if unsaid:
        parts.publisher.publish(*(event for _, event in unsaid.values()), cause=cause)
    for key, (row, _) in unsaid.items():
        parts.rows.replace(key, row.model_copy(update={"published": True}))


def _row_of(event: GoalRejectedV1, parts: Parts) -> RejectedRow:
    key = event.event_id()
    found = parts.rows.get(RejectedRow, key)
    if found is None:
        parts.rows.add(key, RejectedRow(path=event.path))
        found = RejectedRow(path=event.path, version=1)
    return found
