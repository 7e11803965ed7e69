"""The goal's own file, wherever its owner has moved it since the attempt was planned."""

from collections.abc import Iterable

from goalrunner_events import AttemptFinishedV1
from goalrunner_reporter.tree import Tree
from goalrunner_shared.goals.defaults import DEFAULTS_PATH, parse_defaults
from goalrunner_shared.goals.parse import GOALS_FOLDER, ParsedGoal, is_goal_path, parse_goal
from goalrunner_shared.goals.problems import InvalidGoal


def read_goal(event: AttemptFinishedV1, tree: Tree) -> ParsedGoal | None:
    """The goal of an attempt as it stands in the tree; None where its file is gone, broken or there twice."""
    path = event.path if tree.file(event.path) is not None else _moved(event.goal, tree.listing(GOALS_FOLDER))
    if path is None:
        return None
    try:
        parsed = parse_goal(path, tree.file(path), parse_defaults(tree.file(DEFAULTS_PATH)))
    except InvalidGoal:
        return None
    return parsed if parsed.goal.id == event.goal else None


def _moved(goal: str, paths: Iterable[str]) -> str | None:
    found = [path for path in paths if is_goal_path(path) and path.rpartition("/")[2] == f"{goal}.md"]
    return found[0] if len(found) == 1 else None
