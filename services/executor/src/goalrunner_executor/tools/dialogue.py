"""The two tools that every run has: `ask_human` and `finish`. Both leave the loop."""

from typing import Any, Literal

from pydantic import Field

from goalrunner_events import Criterion, Evidence, Outcome
from goalrunner_executor.exits import Finished, NeedsClarification
from goalrunner_executor.tools.tool import Arguments, definition, read_arguments

ASK = "ask_human"
FINISH = "finish"


class Question(Arguments):
    """What the human is asked."""

    question: str = Field(min_length=1, max_length=2000, description="One question that stands on its own.")
    why: str = Field(default="", max_length=2000, description="What depends on the answer.")
    options: tuple[str, ...] = Field(default=(), max_length=10, description="The answers to choose from, if any.")
    default: str | None = Field(default=None, max_length=500, description="What you would do without an answer.")


class Proof(Arguments):
    """Whether one acceptance criterion is met."""

    criterion: str = Field(description="The criterion's id.")
    met: bool
    note: str = Field(default="", max_length=2000, description="Where the human can see it.")


class Ending(Arguments):
    """How the run ends."""

    outcome: Literal["done", "progressed", "blocked", "failed"] = Field(
        description="done only where every acceptance criterion is met; blocked where only the human can help."
    )
    summary: str = Field(min_length=1, max_length=20_000, description="What was achieved, for the human.")
    evidence: tuple[Proof, ...] = Field(default=(), description="One entry for each acceptance criterion.")
    next_step: str = Field(default="", max_length=5000, description="What the next run should do.")


def dialogue_tools() -> list[dict[str, Any]]:
    """Their definitions."""
    return [
        definition(
            ASK,
            "Ask the human, who may take days to answer. Use it only where the goal cannot go on without them. "
            "Call nothing else beside it: the run ends here and goes on with the answer in a fresh checkout, "
            "where of your files only those in out/ are still there.",
            Question,
        ),
        definition(FINISH, "End the run and say how it ended. Nobody reads what you write outside of it.", Ending),
    ]


def clarification(values: object) -> NeedsClarification:
    """The question that the model asks; ToolFailed."""
    asked = read_arguments(Question, values)
    return NeedsClarification(asked.question, why=asked.why, options=asked.options, default=asked.default)


def ending(values: object, criteria: tuple[Criterion, ...]) -> Finished:
    """The end as the model says it, but done only where each criterion is reported met; ToolFailed."""
    said = read_arguments(Ending, values)
    evidence = _evidence(said, criteria)
    outcome, reason = _judge(said, all_met={each.criterion for each in evidence if each.met} >= _ids(criteria))
    return Finished(outcome=outcome, reason=reason, summary=said.summary, next_step=said.next_step, evidence=evidence)


def _judge(said: Ending, *, all_met: bool) -> tuple[Outcome, str | None]:
    match said.outcome:
        case "done" if all_met:
            return Outcome.DONE, None
        case "done" | "progressed":
            return Outcome.PROGRESSED, None
        case "blocked":
            return Outcome.FAILED, f"blocked: {said.summary}"
        case "failed":
            return Outcome.FAILED, said.summary


def _evidence(said: Ending, criteria: tuple[Criterion, ...]) -> tuple[Evidence, ...]:
    """In the order of the goal, the last word for each; what names no criterion of the goal is left out."""
    proofs = {proof.criterion.strip().lower(): proof for proof in said.evidence}
    found = ((each, proofs.get(each.id.lower())) for each in criteria)
    return tuple(Evidence(criterion=each.id, met=proof.met, note=proof.note) for each, proof in found if proof)


def _ids(criteria: tuple[Criterion, ...]) -> set[str]:
    return {each.id for each in criteria}
