"""Attempt files (`attempt/v1`): the planner makes one, the reporter completes it, a person reads it."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, ValidationError

from goalrunner_shared.errors import InputError
from goalrunner_shared.goals.agent import Part
from goalrunner_shared.goals.body import sections_of
from goalrunner_shared.goals.front_matter import FrontMatterError, load_mapping, plain_scalar
from goalrunner_shared.goals.ids import split_attempt_id
from goalrunner_shared.goals.quoting import clean, fenced, quoted, unfenced, unquoted
from goalrunner_shared.goals.values import GoalId, InsidePath, Instant, Name, Usd

ATTEMPTS_FOLDER = "attempts/"

_FRONT = re.compile(r"---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)
_PATH = re.compile(r"attempts/([a-z0-9-]+)/([0-9TZ-]+\.[0-9a-f]{6})\.md")
_EVIDENCE = re.compile(r"^### (\S+) \((met|not met)\)$", re.MULTILINE)

AgentText = Annotated[str, AfterValidator(clean)]
Tokens = Annotated[int, Field(ge=0)]
BODY = ("plan", "result", "evidence", "next_step", "output")


def _check_attempt_id(value: str) -> str:
    split_attempt_id(value)
    return value


AttemptId = Annotated[str, AfterValidator(_check_attempt_id)]


class _OneLineDumper(yaml.SafeDumper):
    """Each text on the line of its key: none of its lines can end the front matter or look like a marker."""


def _one_line(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    quoted_style = '"' if "\n" in text or plain_scalar(text) != text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=quoted_style)


_OneLineDumper.add_representer(str, _one_line)


class Question(Part):
    """A question of this attempt and what became of it."""

    id: Name
    text: AgentText
    answer: AgentText | None = None
    state: Literal["open", "answered", "expired", "cancelled"] = "open"


class Evidence(Part):
    """What shows that one acceptance criterion is met, or why it is not yet."""

    criterion: Name
    met: bool
    text: AgentText = ""


class AttemptFile(Part):
    """One attempt at a goal. The texts of the body come from the agent and are kept as quotations."""

    format: Literal["attempt/v1"] = Field(default="attempt/v1", alias="schema")
    id: AttemptId
    goal: GoalId
    goal_commit: Annotated[str, Field(pattern=r"^[0-9a-f]{7,64}$")]
    slot: Instant
    trigger: Literal["schedule", "manual", "dependency", "guidance"]
    status: Literal["planned", "done", "progressed", "failed"] = "planned"
    reason: AgentText | None = None
    engine: Name | None = None
    model: Name | None = None
    cost_usd: Usd | None = None
    tokens_in: Tokens | None = None
    tokens_out: Tokens | None = None
    planned_at: Instant
    finished_at: Instant | None = None
    questions: tuple[Question, ...] = ()
    artifacts: tuple[InsidePath, ...] = ()

    plan: AgentText = ""
    result: AgentText = ""
    evidence: tuple[Evidence, ...] = ()
    next_step: AgentText = ""
    output: AgentText = ""


def attempt_path(attempt_id: str) -> str:
    """Where the file of an attempt lies in the goals repository; ValueError for what is no attempt id."""
    goal, _, rest = attempt_id.partition(".")
    split_attempt_id(attempt_id)
    return f"{ATTEMPTS_FOLDER}{goal}/{rest}.md"


def attempt_of_path(path: str) -> str | None:
    """The attempt whose file lies at `path`; None for any other file."""
    match = _PATH.fullmatch(path)
    return f"{match[1]}.{match[2]}" if match else None


def render_attempt(attempt: AttemptFile) -> bytes:
    """The file's bytes: the same for the same attempt, and `parse_attempt` gives it back."""
    head = attempt.model_dump(mode="json", by_alias=True, exclude=set(BODY), exclude_none=True)
    front = yaml.dump(head, Dumper=_OneLineDumper, sort_keys=False, allow_unicode=True, width=float("inf"))
    parts = [f"---\n{front}---\n", f"# {attempt.goal}, {attempt.slot:%Y-%m-%d %H:%M} UTC: {attempt.status}\n"]
    parts += (f"## {_title(key)}\n\n{text}\n" for key, text in _texts(attempt).items() if text)
    return "\n".join(parts).encode("utf-8")


def parse_attempt(content: bytes) -> AttemptFile:
    """The attempt in a file's bytes; InputError where it is not one that `render_attempt` could have written."""
    try:
        text = content.decode("utf-8")
        match = _FRONT.match(text)
        if match is None:
            raise InputError("this is no attempt file: it does not begin with front matter between `---` lines")
        return AttemptFile.model_validate(load_mapping(match[1]) | _body(sections_of(text[match.end() :])))
    except (UnicodeDecodeError, FrontMatterError) as error:
        raise InputError(f"this is no attempt file: {error}") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InputError(f"this is no attempt file: {where}: {first['msg'].lower()}") from None


def _texts(attempt: AttemptFile) -> Mapping[str, str]:
    texts = {key: quoted(text) if (text := getattr(attempt, key)) else "" for key in BODY if key != "evidence"}
    evidence = "\n\n".join(_evidence_text(item) for item in attempt.evidence)
    output = quoted(fenced(attempt.output)) if attempt.output else ""
    return {key: {**texts, "evidence": evidence, "output": output}[key] for key in BODY}


def _evidence_text(item: Evidence) -> str:
    heading = f"### {item.criterion} ({'met' if item.met else 'not met'})"
    return f"{heading}\n\n{quoted(item.text)}" if item.text else heading


def _body(sections: Mapping[str, str]) -> dict[str, Any]:
    texts = {key: unquoted(sections.get(_title(key).casefold(), "")) for key in BODY}
    _, *pieces = _EVIDENCE.split(sections.get("evidence", ""))
    evidence = [
        {"criterion": criterion, "met": met == "met", "text": unquoted(text)}
        for criterion, met, text in zip(pieces[::3], pieces[1::3], pieces[2::3], strict=True)
    ]
    return {**texts, "evidence": evidence, "output": unfenced(texts["output"])}


def _title(key: str) -> str:
    return key.replace("_", " ").capitalize()
