"""Tell the human what happened, once."""

from typing import TypeVar

from goalrunner_events import GoalRejectedV1, Meta, NotificationFailedV1, NotificationSentV1, ResultReportedV1
from goalrunner_notifier.desk import Desk
from goalrunner_notifier.domain import rejection_notice, report_notice
from goalrunner_notifier.ports import ChannelRefused, Notice
from goalrunner_shared.errors import TransientError
from goalrunner_shared.messages import Message
from goalrunner_shared.topology import MAX_RECEIVES

T = TypeVar("T")


def tell_rejected(message: Message[GoalRejectedV1], *, desk: Desk) -> None:
    """A goal file that cannot be read."""
    _tell(rejection_notice(message.body), message, desk=desk)


def tell_reported(message: Message[ResultReportedV1], *, desk: Desk) -> None:
    """The result of an attempt."""
    _tell(report_notice(message.body), message, desk=desk)


def _tell(notice: Notice, message: Message[T], *, desk: Desk) -> None:
    try:
        message_id = desk.once.do(notice.key, lambda: desk.channel.send(notice))
    except ChannelRefused as error:
        _failed(notice, str(error), cause=message.meta, desk=desk)
        return
    except TransientError as error:
        if message.receive_count >= MAX_RECEIVES:
            _failed(notice, str(error), cause=message.meta, desk=desk)
        raise
    desk.parts.publisher.publish(
        NotificationSentV1(
            notification=notice.key, channel=desk.channel.name, message_id=message_id, attempt=notice.attempt
        ),
        cause=message.meta,
    )


def _failed(notice: Notice, reason: str, *, cause: Meta, desk: Desk) -> None:
    desk.parts.publisher.publish(
        NotificationFailedV1(notification=notice.key, channel=desk.channel.name, reason=reason, attempt=notice.attempt),
        cause=cause,
    )
