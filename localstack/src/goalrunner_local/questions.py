"""The questions as the notifier keeps them: its rows are the truth, and the operator's console reads them."""

from collections.abc import Iterator

from goalrunner_local.cloud import Cloud
from goalrunner_local.view import QuestionLine
from goalrunner_notifier.rows import Question
from goalrunner_shared.rows import DynamoRows

TABLE = "goalrunner-notifier"


def all_questions(cloud: Cloud) -> Iterator[Question]:
    """Every question that the notifier knows."""
    for _, question in DynamoRows(TABLE, lambda: cloud.client("dynamodb")).all(Question):
        yield question


def find_question(cloud: Cloud, question: str) -> Question | None:
    """One question's row; None where the notifier does not know it."""
    return DynamoRows(TABLE, lambda: cloud.client("dynamodb")).get(Question, question)


def line_of(question: Question) -> QuestionLine:
    """A row as a run shows it."""
    request = question.request
    return QuestionLine(
        id=question.id,
        text=request.text,
        options=request.options,
        default=request.default,
        state=question.state,
        answer=question.answer.text if question.answer else None,
        on_timeout=request.ask.on_timeout,
        why=request.why,
    )
