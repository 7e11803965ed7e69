"""From the bytes of a goal file to a goal, or to one sentence that says what to type."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from pydantic import ValidationError

from goalrunner_shared.goals.body import Criterion, criteria_of, sections_of
from goalrunner_shared.goals.defaults import NO_DEFAULTS, Defaults
from goalrunner_shared.goals.front_matter import FrontMatterError, Key, line_of, load_mapping
from goalrunner_shared.goals.model import Goal
from goalrunner_shared.goals.problems import InvalidGoal, explain
from goalrunner_shared.goals.source import decode
from goalrunner_shared.goals.state import BrokenState, GoalState, find_block, state_in, without_block
from goalrunner_shared.goals.values import GOAL_ID

GOALS_FOLDER = "goals/"

_FRONT = re.compile(r"---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_ID = re.compile(GOAL_ID)


@dataclass(frozen=True)
class ParsedGoal:
    """A valid goal file. The body is taken apart when somebody asks for it: a scan never does."""

    path: str
    goal: Goal
    state: GoalState | None
    content: bytes

    @cached_property
    def body(self) -> str:
        """The Markdown below the front matter, without the state block, with plain line ends."""
        text = _split(self.path, decode(self.path, without_block(self.content)))[1]
        return text.replace("\r\n", "\n")

    @cached_property
    def sections(self) -> Mapping[str, str]:
        """Text by lower-case heading, the unknown ones too."""
        return sections_of(self.body)

    @cached_property
    def criteria(self) -> tuple[Criterion, ...]:
        """The acceptance criteria in their order."""
        return criteria_of(self.sections.get("acceptance criteria", ""))

    @property
    def outcome(self) -> str:
        """What is to be reached."""
        return self.sections.get("outcome", "")

    @property
    def constraints(self) -> str:
        """What must not be done."""
        return self.sections.get("constraints", "")

    @property
    def context(self) -> str:
        """Facts and preferences."""
        return self.sections.get("context", "")

    @property
    def guidance(self) -> str:
        """What the human added later, newest first."""
        return self.sections.get("guidance", "")

    def line_of(self, *key: Key) -> int:
        """The line of a key of the front matter in the file; 1 where it does not stand there."""
        return line_of(_split(self.path, decode(self.path, self.content))[0], key) + 1


def is_goal_path(path: str) -> bool:
    """Whether a path of the repository is a goal file: Markdown at any depth below `goals/`, a README is none."""
    folders = path.split("/")
    name = folders[-1]
    return (
        path.startswith(GOALS_FOLDER)
        and name.endswith(".md")
        and name.casefold() != "readme.md"
        and not any(folder.startswith(".") for folder in folders)
    )


def parse_goal(path: str, content: bytes | None, defaults: Defaults = NO_DEFAULTS) -> ParsedGoal:
    """The goal in a file's bytes; InvalidGoal says where it is wrong. None stands for a file too large to read."""
    front, _ = _split(path, decode(path, content))
    assert content is not None
    try:
        own = load_mapping(front)
        if "id" not in own:
            raise InvalidGoal(path, 1, '"id" is missing', f"write `id: {_stem(path)}`")
        goal = Goal.model_validate(defaults.under(own))
        _check_names(path, front, goal)
        block = find_block(content)
        state = None if block is None else state_in(content, block)
    except FrontMatterError as error:
        raise InvalidGoal(path, error.line + 1, error.problem, error.hint) from None
    except ValidationError as error:
        line, problem, hint = explain(error, front)
        raise InvalidGoal(path, line + 1, problem, hint) from None
    except BrokenState as error:
        raise InvalidGoal(path, error.line, error.problem, error.hint) from None
    return ParsedGoal(path, goal, state, content)


def _split(path: str, text: str) -> tuple[str, str]:
    match = _FRONT.match(text)
    if match is not None:
        return match[1], text[match.end() :]
    if not text.strip():
        raise InvalidGoal(path, 1, "the file is empty", "begin it with `---`, `title: What to reach` and `---`")
    if not re.match(r"---[ \t]*\r?(\n|\Z)", text):
        raise InvalidGoal(path, 1, "the front matter is missing", "begin the file with a line `---`")
    raise InvalidGoal(path, 1, "the front matter is not closed", "write a line `---` below its last key")


def _check_names(path: str, front: str, goal: Goal) -> None:
    stem = _stem(path)
    if goal.id != stem:
        problem = f'id is "{goal.id}" but the file is called {stem}.md'
        hint = f"write `id: {stem}`" if _ID.match(stem) else f"rename the file to {goal.id}.md"
        raise InvalidGoal(path, line_of(front, ["id"]) + 1, problem, hint)
    if goal.id in goal.depends_on:
        line = line_of(front, ["depends_on", goal.depends_on.index(goal.id)]) + 1
        raise InvalidGoal(path, line, "depends_on names the goal itself", f'delete "{goal.id}" from that list')


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".md")
