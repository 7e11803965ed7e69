"""Handlers that do nothing, so that a bench sees what everything round them costs."""

from typing import Any

from goalrunner_shared.entrypoint import App, sqs_handler
from goalrunner_events import GoalDueV1
from goalrunner_shared.aws import client_of
from goalrunner_shared.bootstrap import event_app, parts_from
from goalrunner_shared.messages import Message
from goalrunner_shared.once import PowertoolsOnce
from goalrunner_shared.settings import Settings


def _nothing(message: Message[Any]) -> None:
    """Handle a message by leaving it alone."""


def _null() -> App:
    return event_app(parts_from(Settings.load(), service="bench"), {GoalDueV1: _nothing})


null_handler = sqs_handler(_null)


def _once() -> App:
    parts = parts_from(Settings.load(), service="bench")
    once = PowertoolsOnce("goalrunner-bench", client_of("dynamodb"))

    def handle(message: Message[Any]) -> None:
        once.do(message.meta.event_id, lambda: "")

    return event_app(parts, {GoalDueV1: handle})


once_handler = sqs_handler(_once)
