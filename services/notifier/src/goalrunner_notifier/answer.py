"""Take an answer from the human: the first one wins."""

from goalrunner_events import QuestionState
from goalrunner_notifier.desk import Desk
from goalrunner_notifier.domain import already_answered, choose, no_such_question, too_late
from goalrunner_notifier.inbox import AnswerGiven
from goalrunner_notifier.rows import Answer, Question
from goalrunner_notifier.settle import settle
from goalrunner_shared.messages import Message


def answer(message: Message[AnswerGiven], *, desk: Desk) -> None:
    """Decide, settle, and tell whoever came too late; the same update again has the same effect."""
    update = message.body
    row = desk.change(update.question, lambda row: row.answered(_answer(row, update)))
    if row is None:
        desk.reply(no_such_question(update.question, update=update.key))
        return
    row = settle(row, desk=desk)
    if row.state is QuestionState.EXPIRED:
        desk.reply(too_late(row, update=update.key))
    elif row.answer is None or row.answer.update != update.key:
        desk.reply(already_answered(row, update=update.key))


def _answer(row: Question, update: AnswerGiven) -> Answer:
    return Answer(text=choose(row.request.options, update.text), by=update.by, update=update.key)
