"""The use cases: begin a step, go on with it, go on with an answer."""

from collections.abc import Callable

from goalrunner_events import (
    ClarificationAnsweredV1,
    ClarificationExpiredV1,
    StepReadyV1,
    StepSuspendedV1,
)
from goalrunner_executor.conclude import conclude, publish
from goalrunner_executor.domain import Move, claimed, dead_end, decide, failed, resolved
from goalrunner_executor.exits import DeadlineNear
from goalrunner_executor.job_files import JobFiles
from goalrunner_executor.lease import Lease, LostLease
from goalrunner_executor.rows import StepRun, StepState, row_key
from goalrunner_executor.work import Invocation, Leave, Workshop, work
from goalrunner_shared.errors import TransientError
from goalrunner_shared.messages import Message
from goalrunner_shared.topology import MAX_RECEIVES

LONGEST_LEASE = 960.0

StepEvent = StepReadyV1 | StepSuspendedV1 | ClarificationAnsweredV1 | ClarificationExpiredV1


def begin(message: Message[StepReadyV1], *, shop: Workshop) -> None:
    """Run a step that is ready, unless it has been begun."""
    event = message.body
    _files(shop, event).keep_input(event)
    row = _row(shop, event)
    if row is None:
        _run(Lease.first(shop.parts.rows, _new_row(message, shop)), message, shop)
        return
    if _move(row, message, shop, opens=False) is Move.LATER and message.receive_count < MAX_RECEIVES:
        raise TransientError(f"{row.attempt}/{row.step} is being worked on by another message")
    _go_on(row, message, shop, opens=False)


def go_on(message: Message[StepSuspendedV1], *, shop: Workshop) -> None:
    """Go on with a step that was suspended; an older suspension than the last is over."""
    row = _known_row(shop, message.body)
    _go_on(row, message, shop, opens=row.state is StepState.SUSPENDED and row.fence == message.body.fence)


def go_on_with_answer(message: Message[ClarificationAnsweredV1], *, shop: Workshop) -> None:
    """Go on with what the human has said, if that is what the step waits for."""
    answer, by = message.body.answer, message.body.by
    _resolve(message, shop, lambda row: resolved(row, answer=answer, by=by))


def go_on_without_answer(message: Message[ClarificationExpiredV1], *, shop: Workshop) -> None:
    """Go on with the default, or without, or end, as the goal says."""
    _resolve(message, shop, lambda row: resolved(row, answer=None, by=None))


def _resolve(
    message: Message[ClarificationAnsweredV1] | Message[ClarificationExpiredV1],
    shop: Workshop,
    resolve: Callable[[StepRun], StepRun],
) -> None:
    row = _known_row(shop, message.body)
    if message.body.question not in {each.id for each in row.questions}:
        raise TransientError(f"the question {message.body.question} has not been asked yet")
    pending = row.asked is not None and row.asked.question == message.body.question
    opens = row.state is StepState.WAITING and pending
    _go_on(resolve(row) if opens else row, message, shop, opens=opens)


def _go_on(row: StepRun, message: Message[StepEvent], shop: Workshop, *, opens: bool) -> None:
    move = _move(row, message, shop, opens=opens)
    match move:
        case Move.GO_ON | Move.TAKE_OVER:
            row = claimed(row, move, message_id=message.message_id, lease_until=_lease_until(message, shop))
            _run(Lease.next(shop.parts.rows, row), message, shop)
        case Move.REPUBLISH:
            files = _files(shop, message.body)
            publish(Lease(shop.parts.rows, row), parts=shop.parts, files=files, cause=message.meta)
        case Move.LATER | Move.IGNORE:
            shop.parts.logger.info("old or repeated message left alone", step=f"{row.attempt}/{row.step}")


def _run(lease: Lease, message: Message[StepEvent], shop: Workshop) -> None:
    """Work on the step as far as this invocation gets."""
    files = _files(shop, message.body)
    leave = _leave_at_once(lease.row, message)
    try:
        leave = leave or work(Invocation(lease, shop, files, message.remaining))
    except LostLease:
        raise
    except Exception as error:
        # The queue delivers again; should it come to nothing, this is what the human is told.
        lease.write(trouble=str(error) if isinstance(error, TransientError) else f"the executor failed: {error!r}")
        raise
    conclude(lease, leave, parts=shop.parts, files=files, cause=message.meta)


def _leave_at_once(row: StepRun, message: Message[StepEvent]) -> Leave | None:
    reason = dead_end(row)
    if reason is not None:
        return Leave(failed(reason))
    # The queue gives this message up: hand over to a fresh one, rather than be lost in mid-work.
    return Leave(DeadlineNear()) if message.receive_count >= MAX_RECEIVES else None


def _move(row: StepRun, message: Message[StepEvent], shop: Workshop, *, opens: bool) -> Move:
    return decide(row, message_id=message.message_id, now=shop.now(), opens=opens)


def _new_row(message: Message[StepReadyV1], shop: Workshop) -> StepRun:
    event = message.body
    return StepRun(
        attempt=event.attempt,
        goal=event.goal,
        step=event.step,
        holder=message.message_id,
        lease_until=_lease_until(message, shop),
    )


def _lease_until(message: Message[StepEvent], shop: Workshop) -> float:
    """No longer than this function can live."""
    return shop.now() + min(max(message.remaining(), 0.0), LONGEST_LEASE)


def _row(shop: Workshop, event: StepEvent) -> StepRun | None:
    return shop.parts.rows.get(StepRun, row_key(event.attempt, event.step))


def _known_row(shop: Workshop, event: StepEvent) -> StepRun:
    row = _row(shop, event)
    if row is None:
        raise TransientError(f"{event.attempt}/{event.step} has not been begun yet")
    return row


def _files(shop: Workshop, event: StepEvent) -> JobFiles:
    return JobFiles(shop.parts.blobs, event.attempt, event.step)
