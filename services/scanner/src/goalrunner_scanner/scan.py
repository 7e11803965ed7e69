"""Scan: which goals are due in this slot, and how all the others stand."""

import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from time import monotonic

from goalrunner_events import Meta, ScanCompletedV1, ScanRequestedV1, Trigger
from goalrunner_scanner.begin import begin
from goalrunner_scanner.domain import Sight
from goalrunner_scanner.judge import Asked, Decision, decide, rows_needed
from goalrunner_scanner.look import look
from goalrunner_scanner.memory import Memory
from goalrunner_scanner.reject import reject
from goalrunner_scanner.rows import GoalRow
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.clock import floor_to_slot
from goalrunner_shared.errors import TransientError
from goalrunner_shared.git.port import GoalsRepository
from goalrunner_shared.messages import Message

TRIES = 5


def scan(
    message: Message[ScanRequestedV1],
    *,
    parts: Parts,
    repository: GoalsRepository,
    memory: Memory,
    engines: Collection[str],
) -> None:
    """Publish goal.rejected, goal.due and, at the end of every run, repeats too, scan.completed.

    A request without a slot is for the slot in which it was made. One that names a goal decides about that goal alone.
    """
    request = message.body
    asked = Asked(
        slot=floor_to_slot(request.slot or message.meta.occurred_at),
        trigger=Trigger.MANUAL if request.goal else Trigger.SCHEDULE,
        engines=engines,
        request_id=request.request_id if request.goal else None,
        only=None if request.goal is None else (request.goal,),
    )
    with _collector_at_rest():
        _carry_out(asked, message.meta, parts=parts, repository=repository, memory=memory)


def _carry_out(asked: Asked, cause: Meta, *, parts: Parts, repository: GoalsRepository, memory: Memory) -> None:
    started = monotonic()
    sight, rows, decision = judge(asked, parts=parts, repository=repository, memory=memory)
    if asked.only is None:
        reject(sight, parts=parts, cause=cause)
    begin(decision, rows=rows, sight=sight, parts=parts, repository=repository, cause=cause)
    completed = ScanCompletedV1.model_validate(
        {
            "request": cause.event_id,
            "slot": asked.slot,
            "commit": sight.commit,
            "seconds": round(monotonic() - started, 3),
            "goals": decision.standings,
        }
    )
    parts.publisher.publish(completed, cause=cause)


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Ten thousand new values and no cycle among them: looking for some costs a third of an incremental scan."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()


def judge(
    asked: Asked, *, parts: Parts, repository: GoalsRepository, memory: Memory, first: Sight | None = None
) -> tuple[Sight, dict[str, GoalRow], Decision]:
    """Look (`first` is what was seen already), read the rows that matter, decide.

    Again where a row tells of a report that was not seen: what is decided by must not be older than the rows.
    """
    for _ in range(TRIES):
        sight = first or look(repository, memory=memory, slot=asked.slot)
        found = {goal: parts.rows.get(GoalRow, goal) for goal in sorted(rows_needed(sight, asked))}
        rows = {goal: row for goal, row in found.items() if row is not None}
        decision = decide(sight, asked, rows)
        if not decision.doubtful or repository.fetch() == sight.commit:
            return sight, rows, decision
        first = None
    raise TransientError("the repository moves faster than it can be scanned: try again later")
