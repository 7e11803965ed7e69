"""The goal's own file, wherever its owner has moved it since the attempt was planned."""

from collections.abc import Iterable
from datetime import datetime

from goalrunner_events import AttemptFinishedV1
from goalrunner_reporter.tree import Tree
from goalrunner_shared.goals.defaults import DEFAULTS_PATH, parse_defaults
from goalrunner_shared.goals.parse import GOALS_FOLDER, ParsedGoal, is_goal_path, parse_goal
from goalrunner_shared.goals.problems import InvalidGoal
from goalrunner_shared.goals.state import BrokenState, find_block, state_in


def read_goal(event: AttemptFinishedV1, tree: Tree) -> ParsedGoal | None:
    """The goal of an attempt as it stands in the tree; None where its file is gone, broken or there twice."""
    path = _path(event, tree)
    if path is None:
        return None
    try:
        parsed = parse_goal(path, tree.file(path), parse_defaults(tree.file(DEFAULTS_PATH)))
    except InvalidGoal:
        return None
    return parsed if parsed.goal.id == event.goal else None


def next_due_in(event: AttemptFinishedV1, tree: Tree) -> datetime | None:
    """When the goal is due next, as its state block says; None where no report of this slot or later is in it."""
    path = _path(event, tree)
    content = (tree.file(path) if path else None) or b""
    try:
        block = find_block(content)
        state = state_in(content, block) if block else None
    except (BrokenState, UnicodeDecodeError):
        return None
    return state.next_due if state and state.slot and state.slot >= event.slot else None


def _path(event: AttemptFinishedV1, tree: Tree) -> str | None:
    return event.path if tree.file(event.path) is not None else _moved(event.goal, tree.listing(GOALS_FOLDER))


def _moved(goal: str, paths: Iterable[str]) -> str | None:
    found = [path for path in paths if is_goal_path(path) and path.rpartition("/")[2] == f"{goal}.md"]
    return found[0] if len(found) == 1 else None
