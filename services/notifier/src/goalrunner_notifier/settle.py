"""Bring the wait of a question to the end that was decided, through whatever has become of that wait.

Only the state machine publishes the answer or the expiry, and a new generation begins only where the last one ended
without an event: that is why exactly one of the two is ever published.
"""

from goalrunner_events import ClarificationAnsweredV1, ClarificationExpiredV1, QuestionState
from goalrunner_notifier.desk import Desk
from goalrunner_notifier.domain import BACKSTOP, GRACE, question_notice, too_late, window
from goalrunner_notifier.inbox import Recover, WaitEnded
from goalrunner_notifier.ports import ChannelRefused, Fate, TooLate, WaitOrder
from goalrunner_notifier.rows import Answer, Question
from goalrunner_shared.clock import fixed_clock
from goalrunner_shared.errors import TransientError
from goalrunner_shared.messages import Message
from goalrunner_shared.publisher import meta_for, seal


def recover(message: Message[Recover], *, desk: Desk) -> None:
    """Give every question that has not ended its wait back; one that is stuck holds up no other."""
    stuck = []
    for _, row in desk.parts.rows.all(Question):
        if row.published:
            continue
        try:
            settle(resume(row, desk=desk), desk=desk)
        except TransientError as error:
            stuck.append(str(error))
    if stuck:
        raise TransientError("; ".join(stuck))


def end(message: Message[WaitEnded], *, desk: Desk) -> None:
    """The machine has ended: keep what it published; where that is nothing, the next one is to do it."""
    body = message.body
    row = desk.parts.rows.get(Question, body.question)
    if row is None or row.generation < body.generation:
        desk.parts.logger.warning("end of a wait that nobody began", question=body.question)
    elif body.published == "nothing":
        _begin_again(body, desk=desk)
    elif row.generation == body.generation:
        settle(_conform(row, Fate(body.published), desk=desk), desk=desk)


def _begin_again(body: WaitEnded, *, desk: Desk) -> None:
    # A question that is still open had run out of time: what could not be published was its expiry.
    desk.change(body.question, lambda row: row.expired(generation=body.generation))
    row = desk.change(body.question, lambda row: row.renewed(generation=body.generation))
    if row is not None and row.generation == body.generation + 1 and row.token is None:
        resume(row, desk=desk)


def settle(row: Question, *, desk: Desk) -> Question:
    """Tell the machine what was decided, as often as it takes, then show it; nothing while the question is open.

    TransientError where the machine is just ending.
    """
    if row.is_open:
        return row
    if not row.settled:
        row = _close(row, desk=desk) if row.token else resume(row, desk=desk)
    if row.settled:
        _show(row, desk=desk)
    return row


def resume(row: Question, *, desk: Desk) -> Question:
    """See that the wait of a question that has not ended is there."""
    return follow(row, desk.wait.fate(row.execution), desk=desk)


def follow(row: Question, fate: Fate, *, desk: Desk) -> Question:
    """Do what the fate of the present execution asks for."""
    if fate is Fate.RUNNING:
        return row
    if fate in (Fate.ANSWERED, Fate.EXPIRED):
        return _conform(row, fate, desk=desk)
    if fate is Fate.UNKNOWN and row.token is None:
        return follow(row, desk.wait.start(_order(row, desk=desk)), desk=desk)
    renewed = _known(desk.change(row.id, lambda now: now.renewed(generation=row.generation)))
    if renewed.published:
        return renewed
    return follow(renewed, desk.wait.start(_order(renewed, desk=desk)), desk=desk)


def look_again(row: Question, *, desk: Desk) -> Question:
    """The task has refused our token: find out why, and follow. TransientError while the machine is ending."""
    fate = desk.wait.fate(row.execution)
    if fate is Fate.RUNNING:
        raise TransientError(f"the wait {row.execution} is just ending")
    return follow(row, fate, desk=desk)


def _close(row: Question, *, desk: Desk) -> Question:
    assert row.token is not None
    try:
        if row.answer is None:
            desk.wait.expire(row.token)
        else:
            desk.wait.answer(row.token, _answered_detail(row, row.answer, desk=desk))
    except TooLate:
        return look_again(row, desk=desk)
    return _known(desk.change(row.id, lambda now: now.closed(generation=row.generation)))


def _conform(row: Question, fate: Fate, *, desk: Desk) -> Question:
    ended = _known(desk.change(row.id, lambda now: now.ended(fate, generation=row.generation)))
    if ended.state is QuestionState.EXPIRED and ended.late_answer is not None:
        desk.reply(too_late(ended, update=ended.late_answer.update))
    return ended


def _show(row: Question, *, desk: Desk) -> None:
    if row.notified is None:
        return
    try:
        desk.channel.edit(row.notified, question_notice(row, deadline=row.deadline))
    except ChannelRefused as error:
        desk.parts.logger.warning("message not edited", question=row.id, error=str(error))


def _order(row: Question, *, desk: Desk) -> WaitOrder:
    length = window(row.request.ask, cap=desk.ask_cap)
    request = row.request
    event = ClarificationExpiredV1(question=row.id, attempt=request.attempt, goal=request.goal, step=request.step)
    # The instant is derived, so that a repeated start is the same start.
    meta = meta_for(event, cause=row.cause, clock=fixed_clock(row.asked_at + length))
    return WaitOrder(
        question=row.id,
        generation=row.generation,
        timeout_seconds=round(BACKSTOP.total_seconds()),
        heartbeat_seconds=round((length + GRACE).total_seconds()),
        expired=seal(event, meta=meta, blobs=desk.parts.blobs),
    )


def _answered_detail(row: Question, answer: Answer, *, desk: Desk) -> str:
    request = row.request
    event = ClarificationAnsweredV1(
        question=row.id,
        attempt=request.attempt,
        goal=request.goal,
        step=request.step,
        answer=answer.text,
        by=answer.by,
    )
    return seal(event, meta=meta_for(event, cause=row.cause, clock=desk.parts.clock), blobs=desk.parts.blobs)


def _known(row: Question | None) -> Question:
    assert row is not None, "rows of questions are never taken away"
    return row
