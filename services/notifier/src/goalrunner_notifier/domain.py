"""Pure decisions: how long a question waits, what an answer means, what the human reads."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from goalrunner_events import AskPolicy, GoalRejectedV1, QuestionState, ResultReportedV1
from goalrunner_notifier.ports import Notice, NoticeKind
from goalrunner_notifier.rows import Question

LONGEST_WINDOW = timedelta(days=7)
# The notifier's own alarm closes a question; the machine's heartbeat is there in case that never rings.
GRACE = timedelta(minutes=15)
BACKSTOP = timedelta(days=8)


def window(policy: AskPolicy, *, cap: timedelta | None) -> timedelta:
    """How long the human has, from the moment that the question reached them."""
    asked = max(timedelta(seconds=policy.timeout_seconds), timedelta(seconds=1))
    return min(asked, LONGEST_WINDOW, cap or LONGEST_WINDOW)


def choose(options: Sequence[str], text: str) -> str:
    """The option that `text` names by its words, its number or its letter; any other text as it is."""
    for option in options:
        if option.strip().casefold() == text.strip().casefold():
            return option
    place = _place(text.strip().lower())
    return options[place] if place is not None and 0 <= place < len(options) else text


def _place(text: str) -> int | None:
    if re.fullmatch("[0-9]{1,3}", text):
        return int(text) - 1
    return ord(text) - ord("a") if re.fullmatch("[a-z]", text) else None


def question_notice(row: Question, *, deadline: datetime | None) -> Notice:
    """A question as it stands now; the key is that of its generation."""
    request = row.request
    return Notice(
        key=row.execution,
        kind=NoticeKind.QUESTION,
        title=request.title,
        text=request.text,
        why=request.why,
        options=request.options if row.is_open else (),
        default=request.default,
        on_timeout=request.ask.on_timeout,
        deadline=deadline,
        question=row.id,
        goal=request.goal,
        attempt=request.attempt,
        cost_usd=request.cost_usd,
        state=row.state,
        answer=row.answer.text if row.answer else None,
        by=row.answer.by if row.answer else None,
    )


def rejection_notice(event: GoalRejectedV1) -> Notice:
    """A goal file that cannot be read."""
    return Notice(
        key=f"rejected-{event.event_id()}",
        kind=NoticeKind.REJECTION,
        title=event.path,
        text=f"{event.path}:{event.line}: {event.problem}; {event.hint}",
    )


def report_notice(event: ResultReportedV1) -> Notice:
    """What came of an attempt."""
    return Notice(
        key=f"report-{event.event_id()}",
        kind=NoticeKind.REPORT,
        title=f"{event.goal}: {event.outcome}",
        text="\n".join(filter(None, (event.reason, event.summary))),
        goal=event.goal,
        attempt=event.attempt,
        cost_usd=event.cost_usd,
    )


def no_such_question(question: str, *, update: str) -> Notice:
    """The answer names a question that was never asked."""
    return _reply(update, f"There is no question {question}.")


def too_late(row: Question, *, update: str) -> Notice:
    """The answer came after the question had expired; the first such answer is kept."""
    kept = " Your answer is kept." if is_late(row, update) else ""
    return _reply(update, f"Too late: the question has expired.{kept}", row)


def already_answered(row: Question, *, update: str) -> Notice:
    """Somebody was faster."""
    said = f" by {row.answer.by}: {row.answer.text}" if row.answer else ""
    return _reply(update, f"Already answered{said}", row)


def _reply(update: str, text: str, row: Question | None = None) -> Notice:
    request = row.request if row else None
    return Notice(
        key=f"reply-{update}",
        kind=NoticeKind.PLAIN,
        title=request.title if request else "Goalrunner",
        text=text,
        question=row.id if row else None,
        goal=request.goal if request else None,
        attempt=request.attempt if request else None,
        state=row.state if row else None,
    )


def is_late(row: Question, update: str) -> bool:
    """Whether this update's answer is the one that is kept as late."""
    return row.state is QuestionState.EXPIRED and row.late_answer is not None and row.late_answer.update == update
