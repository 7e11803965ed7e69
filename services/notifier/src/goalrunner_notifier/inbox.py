"""The messages that are sent straight into the notifier's queues."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from pydantic import BaseModel, ConfigDict, Field, RootModel, StringConstraints, ValidationError

from goalrunner_events import Meta
from goalrunner_shared.clock import Clock
from goalrunner_shared.errors import MalformedMessage
from goalrunner_shared.messages import Message

Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Generation = Annotated[int, Field(ge=1)]


class Command(BaseModel):
    """One message; `kind` tells them apart."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class WaitBegun(Command):
    """The state machine waits and hands over its token."""

    kind: Literal["wait"] = "wait"
    token: Annotated[str, StringConstraints(min_length=1, max_length=2048)] = Field(repr=False)
    question: Name
    generation: Generation


class AlarmRang(Command):
    """The question's window is over."""

    kind: Literal["alarm"] = "alarm"
    question: Name
    generation: Generation


class WaitEnded(Command):
    """The state machine has ended; `published` says with which event on the bus."""

    kind: Literal["ended"] = "ended"
    question: Name
    generation: Generation
    published: Literal["answered", "expired", "nothing"]


class Recover(Command):
    """The system starts: see that every question that has not ended has its wait."""

    kind: Literal["recover"] = "recover"


class AnswerGiven(Command):
    """The human's answer to a question; `by` names the person and the channel, as it is to be read.

    `update_id` is the channel's own, the same when it delivers again.
    """

    kind: Literal["answer"] = "answer"
    channel: Name
    update_id: Name
    question: Name
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20_000)]
    by: Name

    @property
    def key(self) -> str:
        """The update among those of all channels."""
        return f"{self.channel}-{self.update_id}"


class _Delivery(RootModel[Annotated[WaitBegun | AlarmRang | WaitEnded | Recover, Field(discriminator="kind")]]):
    """What the deliver queue holds."""

    model_config = ConfigDict(defer_build=True)


class _Update(RootModel[AnswerGiven]):
    """What the updates queue holds; later kinds join here."""

    model_config = ConfigDict(defer_build=True)


def delivery_reader(clock: Clock) -> Callable[[SQSRecord], Message[Any]]:
    """Reads the deliver queue; MalformedMessage."""
    return lambda record: _read(_Delivery, record, clock=clock)


def update_reader(clock: Clock) -> Callable[[SQSRecord], Message[Any]]:
    """Reads the updates queue; MalformedMessage."""
    return lambda record: _read(_Update, record, clock=clock)


def _read(model: type[RootModel[Any]], record: SQSRecord, *, clock: Clock) -> Message[Any]:
    try:
        body = model.model_validate_json(record.body).root
    except ValidationError as error:
        raise MalformedMessage(f"{model.__name__.strip('_').lower()}: {_first_problem(error)}") from None
    return Message(
        body=body,
        meta=Meta(event_id=record.message_id, correlation_id=record.message_id, occurred_at=clock()),
        message_id=record.message_id,
        receive_count=int(record.attributes.approximate_receive_count or 1),
    )


def _first_problem(error: ValidationError) -> str:
    """Where and what, without the input: that may hold a token."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"
