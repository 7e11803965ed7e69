"""The attempt file with its result: the planner's part kept, the agent's texts added as texts."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from goalrunner_events import AttemptFinishedV1, StepResult
from goalrunner_reporter.domain import Refused
from goalrunner_reporter.secrets import redacted
from goalrunner_shared.errors import InputError
from goalrunner_shared.goals.attempts import AttemptFile, parse_attempt

MAX_REFUSALS_SHOWN = 100


def planned_part(content: bytes | None, event: AttemptFinishedV1, *, tip: str, at: datetime) -> AttemptFile:
    """What the planner wrote; as much of it as is known where somebody deleted or broke the file."""
    try:
        return parse_attempt(content or b"")
    except InputError:
        return AttemptFile(
            id=event.attempt,
            goal=event.goal,
            goal_commit=tip,
            slot=event.slot,
            trigger=event.trigger.value,
            planned_at=at,
        )


def completed(
    planned: AttemptFile,
    event: AttemptFinishedV1,
    *,
    artifacts: Sequence[str],
    refused: Sequence[Refused],
    at: datetime,
) -> AttemptFile:
    """The attempt with its result; `artifacts` are paths in the repository."""
    steps = event.steps
    result = {
        "status": event.outcome.value,
        "reason": redacted(event.reason) if event.reason else None,
        "model": next((_name(step.model) for step in steps if step.model), planned.model),
        "cost_usd": sum((_usd(step.cost_usd) for step in steps), Decimal(0)),
        "tokens_in": sum(step.tokens_in for step in steps),
        "tokens_out": sum(step.tokens_out for step in steps),
        "finished_at": at,
        "questions": [question for step in steps for question in _questions(step)],
        "artifacts": list(artifacts),
        "result": _paragraphs([*(step.summary for step in steps), _refusals(refused)]),
        "evidence": [evidence for step in steps for evidence in _evidence(step)],
        "next_step": _paragraphs(step.next_step for step in steps),
        "output": _paragraphs(step.output for step in steps),
    }
    return AttemptFile.model_validate(planned.model_dump(exclude={"format"}) | result)


def _evidence(step: StepResult) -> list[dict[str, Any]]:
    return [
        {"criterion": _name(each.criterion), "met": each.met, "text": redacted(each.note)} for each in step.evidence
    ]


def _questions(step: StepResult) -> list[dict[str, Any]]:
    return [
        {
            "id": each.id,
            "text": redacted(each.text),
            "answer": None if each.answer is None else redacted(each.answer),
            "state": each.state.value,
        }
        for each in step.questions
    ]


def _refusals(refused: Sequence[Refused]) -> str:
    if not refused:
        return ""
    lines = [f"- {redacted(json.dumps(each.path, ensure_ascii=False))}: {each.reason}" for each in refused]
    more = [f"- and {len(lines) - MAX_REFUSALS_SHOWN} more"] if len(lines) > MAX_REFUSALS_SHOWN else []
    return "\n".join(["Not committed:", *lines[:MAX_REFUSALS_SHOWN], *more])


def _paragraphs(texts: Iterable[str]) -> str:
    return redacted("\n\n".join(text for text in texts if text))


def _usd(amount: float) -> Decimal:
    """To the millionth, so that a sum is the same in every order."""
    return Decimal(str(round(amount, 6)))


def _name(text: str) -> str:
    """What an agent calls a thing, as a name that the file may hold."""
    return re.sub(r"^[^A-Za-z0-9_]+|[^A-Za-z0-9_.:/*-]+", "-", text).lstrip("-./:*")[:128] or "unnamed"
