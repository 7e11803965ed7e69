"""Bring a question to the human when its wait has begun, and close it when its time is over."""

from datetime import timedelta

from goalrunner_events import NotificationFailedV1, NotificationSentV1
from goalrunner_notifier.desk import Desk
from goalrunner_notifier.domain import question_notice, window
from goalrunner_notifier.inbox import AlarmRang, WaitBegun
from goalrunner_notifier.ports import ChannelRefused, TooLate
from goalrunner_notifier.rows import Question
from goalrunner_notifier.settle import look_again, settle
from goalrunner_shared.errors import TransientError
from goalrunner_shared.messages import Message
from goalrunner_shared.topology import MAX_RECEIVES


def deliver(message: Message[WaitBegun], *, desk: Desk) -> None:
    """Keep the token, send the question, start its clock; what was decided meanwhile is settled at once."""
    body = message.body
    row = desk.change(body.question, lambda row: row.waited_for(token=body.token, generation=body.generation))
    if row is None or row.generation != body.generation:
        desk.parts.logger.info("token of a wait that is over", question=body.question, generation=body.generation)
        return
    if row.is_open and row.notified is None:
        row = _send(row, message, desk=desk)
    if row.is_open and row.notified is not None and not row.ticking:
        row = _start_clock(row, desk=desk)
    settle(row, desk=desk)


def close(message: Message[AlarmRang], *, desk: Desk) -> None:
    """The window is over: a question of this generation that is still open has expired."""
    body = message.body
    row = desk.change(body.question, lambda row: row.expired(generation=body.generation))
    if row is not None and row.generation == body.generation:
        settle(row, desk=desk)


def _send(row: Question, message: Message[WaitBegun], *, desk: Desk) -> Question:
    length = window(row.request.ask, cap=desk.ask_cap)
    try:
        message_id = desk.channel.send(question_notice(row, deadline=desk.parts.clock() + length))
    except ChannelRefused as error:
        _give_up(row, str(error), desk=desk)
        return row
    except TransientError as error:
        if message.receive_count >= MAX_RECEIVES:
            _give_up(row, str(error), desk=desk)
        raise
    deadline = desk.parts.clock() + length
    shown = desk.change(
        row.id, lambda now: now.shown(message_id=message_id, generation=row.generation, deadline=deadline)
    )
    return shown or row


def _start_clock(row: Question, *, desk: Desk) -> Question:
    assert row.deadline is not None
    assert row.notified is not None
    assert row.token is not None
    _set_alarm(row, after=row.deadline - desk.parts.clock(), desk=desk)
    try:
        desk.wait.beat(row.token)
    except TooLate:
        return look_again(row, desk=desk)
    desk.parts.publisher.publish(
        NotificationSentV1(
            notification=row.execution,
            channel=desk.channel.name,
            message_id=row.notified,
            question=row.id,
            attempt=row.request.attempt,
        ),
        cause=row.cause,
    )
    return desk.change(row.id, lambda now: now.clock_started(generation=row.generation)) or row


def _give_up(row: Question, reason: str, *, desk: Desk) -> None:
    """Nobody was asked; the question stays open for other ways to answer, and still ends with its window."""
    _set_alarm(row, after=window(row.request.ask, cap=desk.ask_cap), desk=desk)
    desk.parts.publisher.publish(
        NotificationFailedV1(
            notification=row.execution,
            channel=desk.channel.name,
            reason=reason,
            question=row.id,
            attempt=row.request.attempt,
        ),
        cause=row.cause,
    )


def _set_alarm(row: Question, *, after: timedelta, desk: Desk) -> None:
    alarm = AlarmRang(question=row.id, generation=row.generation)
    desk.alarms.set(row.execution, after=max(after, timedelta(0)), message=alarm.model_dump())
