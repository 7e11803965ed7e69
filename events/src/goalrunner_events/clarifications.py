"""Events about questions to the human, and about what was sent to them."""

from collections.abc import Sequence
from enum import StrEnum

from goalrunner_events.base import AttemptId, Event, GoalId, Part, QuestionId, StepId


class OnTimeout(StrEnum):
    """What happens to a question that nobody answers in time."""

    BLOCK = "block"
    DEFAULT = "default"
    SKIP = "skip"


class QuestionKind(StrEnum):
    """What a question is about."""

    QUESTION = "question"
    APPROVAL = "approval"
    BUDGET = "budget"


class QuestionState(StrEnum):
    """Where a question is in its life."""

    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"


class AskPolicy(Part):
    """How long a question of the goal waits and what then."""

    timeout_seconds: int = 24 * 3600
    on_timeout: OnTimeout = OnTimeout.BLOCK


class QuestionRecord(Part):
    """A question as the attempt file keeps it."""

    id: str
    text: str
    options: tuple[str, ...] = ()
    state: QuestionState
    answer: str | None = None
    by: str | None = None


class ClarificationRequestedV1(Event):
    """The agent has ended with a question; its checkpoint is saved."""

    TYPE = "clarification.requested.v1"
    SOURCE = "goalrunner.executor"

    question: QuestionId
    attempt: AttemptId
    goal: GoalId
    step: StepId
    title: str
    text: str
    why: str = ""
    options: tuple[str, ...] = ()
    default: str | None = None
    kind: QuestionKind = QuestionKind.QUESTION
    ask: AskPolicy = AskPolicy()
    cost_usd: float = 0.0

    def subject(self) -> Sequence[object]:
        return (self.question,)


class ClarificationAnsweredV1(Event):
    """The human has answered; `by` names the person and the channel."""

    TYPE = "clarification.answered.v1"
    SOURCE = "goalrunner.notifier"

    question: QuestionId
    attempt: AttemptId
    goal: GoalId
    step: StepId
    answer: str
    by: str

    def subject(self) -> Sequence[object]:
        return (self.question,)


class ClarificationExpiredV1(Event):
    """The deadline has passed without an answer."""

    TYPE = "clarification.expired.v1"
    SOURCE = "goalrunner.notifier"

    question: QuestionId
    attempt: AttemptId
    goal: GoalId
    step: StepId

    def subject(self) -> Sequence[object]:
        return (self.question,)


class NotificationSentV1(Event):
    """The channel has confirmed the message under `message_id`."""

    TYPE = "notification.sent.v1"
    SOURCE = "goalrunner.notifier"

    notification: str
    channel: str
    message_id: str
    question: QuestionId | None = None
    attempt: AttemptId | None = None

    def subject(self) -> Sequence[object]:
        return (self.notification,)


class NotificationFailedV1(Event):
    """The message could not be delivered after the last try."""

    TYPE = "notification.failed.v1"
    SOURCE = "goalrunner.notifier"

    notification: str
    channel: str
    reason: str
    question: QuestionId | None = None
    attempt: AttemptId | None = None

    def subject(self) -> Sequence[object]:
        return (self.notification,)
