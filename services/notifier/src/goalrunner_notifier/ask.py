"""Take a question in and start waiting for its answer."""

from itertools import count

from goalrunner_events import ClarificationRequestedV1
from goalrunner_notifier.desk import Desk
from goalrunner_notifier.ports import Fate, execution_name
from goalrunner_notifier.rows import Question
from goalrunner_notifier.settle import resume
from goalrunner_shared.messages import Message


def ask(message: Message[ClarificationRequestedV1], *, desk: Desk) -> None:
    """Keep the question and start its wait; a repeat finds both."""
    question = message.body.question
    row = desk.parts.rows.get(Question, question) or _keep(message, desk=desk)
    if not row.published:
        resume(row, desk=desk)


def _keep(message: Message[ClarificationRequestedV1], *, desk: Desk) -> Question:
    request = message.body
    row = Question(
        request=request,
        cause=message.meta,
        asked_at=desk.parts.clock(),
        generation=_unused_generation(request.question, desk=desk),
    )
    desk.parts.rows.add(row.id, row)
    kept = desk.parts.rows.get(Question, row.id)
    assert kept is not None
    return kept


def _unused_generation(question: str, *, desk: Desk) -> int:
    """Where the rows were lost but the state machines were not, the names of that earlier life are taken."""
    return next(n for n in count(1) if desk.wait.fate(execution_name(question, n)) is Fate.UNKNOWN)
