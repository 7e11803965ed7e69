"""The notifier's rows, and how one may follow another."""

from datetime import datetime
from typing import ClassVar, Self

from pydantic import Field

from goalrunner_events import ClarificationRequestedV1, Instant, Meta, QuestionState
from goalrunner_events.base import Part
from goalrunner_notifier.ports import Fate, execution_name
from goalrunner_shared.rows import Row


class Answer(Part):
    """What a human said; `update` is the message of the channel that brought it."""

    text: str
    by: str
    update: str


class Question(Row):
    """A question, keyed by its id: the truth about it.

    `state` is what was decided, `settled` whether the state machine has taken that, `published` whether that is known
    to be on the bus. `generation` counts the waits,
    `token` is that of the present one, `notified` the channel's message id. `ticking` is set when the alarm is set,
    the beat sent and the notification said on the bus.
    """

    KIND: ClassVar[str] = "question"

    request: ClarificationRequestedV1
    cause: Meta
    asked_at: Instant
    generation: int = 1
    state: QuestionState = QuestionState.OPEN
    token: str | None = Field(default=None, repr=False)
    notified: str | None = None
    deadline: Instant | None = None
    ticking: bool = False
    answer: Answer | None = None
    late_answer: Answer | None = None
    settled: bool = False
    published: bool = False

    @property
    def id(self) -> str:
        return self.request.question

    @property
    def execution(self) -> str:
        return execution_name(self.id, self.generation)

    @property
    def is_open(self) -> bool:
        return self.state is QuestionState.OPEN

    def _with(self, **changed: object) -> Self:
        return self.model_copy(update=changed)

    def waited_for(self, *, token: str, generation: int) -> Self | None:
        """The present wait has handed over its token."""
        known = generation != self.generation or self.settled or token == self.token
        return None if known else self._with(token=token)

    def shown(self, *, message_id: str, generation: int, deadline: datetime) -> Self | None:
        """The channel has confirmed the message: the clock starts."""
        if generation != self.generation or self.notified:
            return None
        return self._with(notified=message_id, deadline=deadline)

    def clock_started(self, *, generation: int) -> Self | None:
        return None if generation != self.generation else self._with(ticking=True)

    def answered(self, answer: Answer) -> Self | None:
        """The first answer wins; one that comes after the expiry is kept, the first of them."""
        if self.is_open:
            return self._with(state=QuestionState.ANSWERED, answer=answer)
        if self.state is QuestionState.EXPIRED and self.late_answer is None:
            return self._with(late_answer=answer)
        return None

    def expired(self, *, generation: int) -> Self | None:
        """The window of the present wait is over."""
        return self._with(state=QuestionState.EXPIRED) if self.is_open and generation == self.generation else None

    def closed(self, *, generation: int) -> Self | None:
        """The machine has taken what was decided."""
        return None if self.settled or generation != self.generation else self._with(settled=True)

    def ended(self, fate: Fate, *, generation: int) -> Self | None:
        """The machine has published `fate`: what is on the bus is what happened, whatever was decided since."""
        if self.published or generation != self.generation:
            return None
        ended = self._with(state=QuestionState(fate), settled=True, published=True)
        if fate is Fate.ANSWERED:
            return ended
        return ended._with(answer=None, late_answer=self.late_answer or self.answer)

    def renewed(self, *, generation: int) -> Self | None:
        """The wait was lost: the next generation begins; what is still open is asked again."""
        if self.published or generation != self.generation:
            return None
        following = self._with(generation=generation + 1, token=None, settled=False)
        return following._with(notified=None, deadline=None, ticking=False) if self.is_open else following
