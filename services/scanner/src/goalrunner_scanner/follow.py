"""Follow a reported result: the goal is free again, and those that waited for it may be due."""

from collections.abc import Collection, Sequence
from datetime import datetime

from goalrunner_events import MAX_HOPS, Outcome, ResultReportedV1, Trigger
from goalrunner_scanner.begin import begin
from goalrunner_scanner.domain import Sight
from goalrunner_scanner.judge import Asked
from goalrunner_scanner.look import look
from goalrunner_scanner.memory import Memory
from goalrunner_scanner.rows import GoalRow
from goalrunner_scanner.scan import judge
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.clock import floor_to_slot
from goalrunner_shared.git.port import GoalsRepository
from goalrunner_shared.messages import Message
from goalrunner_shared.rows import change


def follow(
    messages: Sequence[Message[ResultReportedV1]],
    *,
    parts: Parts,
    repository: GoalsRepository,
    memory: Memory,
    engines: Collection[str],
) -> None:
    """Close the rows of these attempts; then publish goal.due for the goals that waited, for the slot of the event."""
    for message in messages:
        _close(message.body, parts)
    sights: dict[datetime, Sight] = {}
    for message in messages:
        if message.body.outcome is not Outcome.DONE:
            continue
        slot = floor_to_slot(message.body.slot)
        sight = sights.get(slot) or look(repository, memory=memory, slot=slot)
        sights[slot] = sight
        waiting = {goal for goal, (_, facts) in sight.goals.items() if message.body.goal in facts.needs}
        if waiting and message.meta.hops >= MAX_HOPS:
            parts.logger.warning("too many attempts have caused one another", extra={"goals": sorted(waiting)})
        elif waiting:
            asked = Asked(slot=slot, trigger=Trigger.DEPENDENCY, engines=engines, only=waiting)
            sight, rows, decision = judge(asked, parts=parts, repository=repository, memory=memory, first=sight)
            begin(decision, rows=rows, sight=sight, parts=parts, repository=repository, cause=message.meta)


def _close(result: ResultReportedV1, parts: Parts) -> None:
    def step(row: GoalRow) -> GoalRow | None:
        if row.attempt != result.attempt or row.closed:
            return None
        return row.model_copy(update={"closed": True})

    change(parts.rows, GoalRow, result.goal, step)
