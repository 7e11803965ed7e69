"""step.finished → kept; with the last one the attempt has ended."""

import hashlib

from goalrunner_events import AttemptFinishedV1, BlobRef, StepFinishedV1, StepResult
from goalrunner_planner.domain import outcome_of
from goalrunner_planner.rows import AttemptRow
from goalrunner_shared.blobs import Blobs, fetch, store
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.errors import MalformedMessage, TransientError
from goalrunner_shared.messages import Message
from goalrunner_shared.rows import change


def advance(message: Message[StepFinishedV1], *, parts: Parts) -> None:
    """Keep the first result of a step; when every step has one, say that the attempt has ended.

    TransientError while the attempt is not known yet; MalformedMessage for a step that it does not have.
    """
    finished = message.body
    row = parts.rows.get(AttemptRow, finished.attempt)
    if row is None:
        raise TransientError(f"no attempt {finished.attempt} is planned yet")
    if finished.result.step not in row.steps:
        raise MalformedMessage(f"{finished.attempt} has no step {finished.result.step!r}")
    if finished.result.step not in row.results:
        row = _keep(finished, parts)
    if row.complete and not row.ended:
        parts.publisher.publish(_finished(finished.attempt, row, parts.blobs), cause=message.meta)
        change(parts.rows, AttemptRow, finished.attempt, lambda row: row.model_copy(update={"ended": True}))
        parts.logger.info("attempt ended", attempt=finished.attempt)


def _keep(finished: StepFinishedV1, parts: Parts) -> AttemptRow:
    """The row with this result, or with the one that was faster."""
    step = finished.result.step
    ref = _store(finished, parts.blobs)

    def add(row: AttemptRow) -> AttemptRow | None:
        return None if step in row.results else row.model_copy(update={"results": {**row.results, step: ref}})

    row = change(parts.rows, AttemptRow, finished.attempt, add)
    assert row is not None
    return row


def _store(finished: StepFinishedV1, blobs: Blobs) -> BlobRef:
    """A result can be larger than a row may be. The key holds its hash, so that a second result overwrites nothing."""
    content = finished.result.model_dump_json().encode()
    name = hashlib.sha256(content).hexdigest()[:16]
    return store(blobs, f"planner/{finished.attempt}/{finished.result.step}-{name}.json", content)


def _finished(attempt: str, row: AttemptRow, blobs: Blobs) -> AttemptFinishedV1:
    results = tuple(StepResult.model_validate_json(fetch(blobs, row.results[step])) for step in row.steps)
    outcome, reason = outcome_of(results)
    return AttemptFinishedV1(
        attempt=attempt,
        goal=row.goal,
        path=row.path,
        slot=row.slot,
        trigger=row.trigger,
        outcome=outcome,
        reason=reason,
        steps=results,
    )
