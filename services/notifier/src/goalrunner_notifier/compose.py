"""Settings → adapters → use cases → routes, for each function of the notifier."""

from datetime import timedelta
from functools import partial

from goalrunner_shared.entrypoint import App, Routes, retry_soon
from goalrunner_events import ClarificationRequestedV1, GoalRejectedV1, ResultReportedV1
from goalrunner_notifier.answer import answer
from goalrunner_notifier.ask import ask
from goalrunner_notifier.deliver import close, deliver
from goalrunner_notifier.desk import Desk
from goalrunner_notifier.inbox import (
    AlarmRang,
    AnswerGiven,
    Recover,
    WaitBegun,
    WaitEnded,
    delivery_reader,
    update_reader,
)
from goalrunner_notifier.ports import Alarms, Channel, Wait
from goalrunner_notifier.settings import NotifierSettings
from goalrunner_notifier.settle import end, recover
from goalrunner_notifier.tell import tell_rejected, tell_reported
from goalrunner_shared.aws import client_of
from goalrunner_shared.bootstrap import Parts, event_app, parts_from
from goalrunner_shared.once import Once, PowertoolsOnce


def hear_routes(
    parts: Parts, *, wait: Wait, alarms: Alarms, channel: Channel, once: Once, ask_cap: timedelta | None = None
) -> Routes:
    """What `hear` does with the events on the bus."""
    desk = Desk(parts, wait, alarms, channel, once, ask_cap)
    return {
        ClarificationRequestedV1: partial(ask, desk=desk),
        GoalRejectedV1: partial(tell_rejected, desk=desk),
        ResultReportedV1: partial(tell_reported, desk=desk),
    }


def deliver_routes(
    parts: Parts, *, wait: Wait, alarms: Alarms, channel: Channel, once: Once, ask_cap: timedelta | None = None
) -> Routes:
    """What `deliver` does with what the state machine, the alarms and the starting system send."""
    desk = Desk(parts, wait, alarms, channel, once, ask_cap)
    return {
        WaitBegun: partial(deliver, desk=desk),
        AlarmRang: partial(close, desk=desk),
        WaitEnded: partial(end, desk=desk),
        Recover: partial(recover, desk=desk),
    }


def updates_routes(
    parts: Parts, *, wait: Wait, alarms: Alarms, channel: Channel, once: Once, ask_cap: timedelta | None = None
) -> Routes:
    """What `updates` does with what the human says."""
    return {AnswerGiven: partial(answer, desk=Desk(parts, wait, alarms, channel, once, ask_cap))}


def hear_app(settings: NotifierSettings) -> App:
    """The function that hears events."""
    desk = _desk(settings)
    return event_app(desk.parts, hear_routes(**vars(desk)))


def deliver_app(settings: NotifierSettings) -> App:
    """The function that brings questions to the human."""
    desk = _desk(settings)
    read = delivery_reader(desk.parts.clock)
    return App(read, deliver_routes(**vars(desk)), retry_soon(client_of("sqs")), desk.parts.logger)


def updates_app(settings: NotifierSettings) -> App:
    """The function that takes what the human says."""
    desk = _desk(settings)
    read = update_reader(desk.parts.clock)
    return App(read, updates_routes(**vars(desk)), retry_soon(client_of("sqs")), desk.parts.logger)


def _desk(settings: NotifierSettings) -> Desk:
    from goalrunner_notifier.adapters.scheduler import SchedulerAlarms
    from goalrunner_notifier.adapters.state_machine import StateMachineWait
    from goalrunner_notifier.adapters.terminal import TerminalChannel

    return Desk(
        parts=parts_from(settings, service="notifier"),
        wait=StateMachineWait(settings.state_machine, client_of("stepfunctions")),
        alarms=SchedulerAlarms(
            queue=settings.deliver_queue, role=settings.scheduler_role, client=client_of("scheduler")
        ),
        channel=TerminalChannel(settings.terminal),
        once=PowertoolsOnce(settings.table, client_of("dynamodb")),
        ask_cap=settings.longest_wait(),
    )
