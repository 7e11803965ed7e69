"""Checking goal files where they lie, before anything is committed."""

from pathlib import Path

from goalrunner_local.choose import MAX_GOAL_BYTES
from goalrunner_shared.errors import InputError
from goalrunner_shared.goals.defaults import DEFAULTS_PATH, NO_DEFAULTS, Defaults, parse_defaults
from goalrunner_shared.goals.goal_set import check_set
from goalrunner_shared.goals.parse import ParsedGoal, is_goal_path, parse_goal
from goalrunner_shared.goals.problems import InvalidGoal
from goalrunner_shared.goals.source import LINK, UNREADABLE_PATH, readable


def lint_path(path: Path) -> tuple[list[str], int]:
    """Every problem at or below `path` as one sentence, and how many goal files were looked at; InputError."""
    if not path.exists():
        raise InputError(f"{path} does not exist: name a goal file or a goals repository")
    # A link stays what it is (goals must not be links); everything above it is taken for what it leads to.
    place = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    root = _root(place)
    wanted = [root / each for each in _goal_paths(root) if (root / each).is_relative_to(place)]
    if path.is_file() and not wanted:
        raise InputError(f"{path} is no goal file: goal files are Markdown files below goals/")
    problems = _problems(root)
    names = {readable(str(each.relative_to(root))) for each in wanted}
    return [str(each) for each in problems if each.path in names or each.path == DEFAULTS_PATH], len(wanted)


def _root(path: Path) -> Path:
    for folder in (path, *path.parents):
        if (folder / "goals").is_dir():
            return folder
    raise InputError(f"there is no goals folder at or above {path}: put your goal files into goals/")


def _goal_paths(root: Path) -> list[str]:
    files = (path for path in (root / "goals").rglob("*.md") if path.is_symlink() or path.is_file())
    found = (path.relative_to(root).as_posix() for path in files)
    return sorted(path for path in found if is_goal_path(path))


def _problems(root: Path) -> list[InvalidGoal]:
    defaults, problems = _defaults(root)
    goals: list[ParsedGoal] = []
    broken: list[str] = []
    for path in _goal_paths(root):
        try:
            goals.append(parse_goal(path, _content(root / path, path), defaults))
        except InvalidGoal as problem:
            problems.append(problem)
            broken.append(Path(path).stem)
    return sorted([*problems, *check_set(goals, broken=broken)], key=lambda problem: (problem.path, problem.line))


def _defaults(root: Path) -> tuple[Defaults, list[InvalidGoal]]:
    path = root / DEFAULTS_PATH
    try:
        return parse_defaults(path.read_bytes() if path.exists() else None), []
    except InvalidGoal as problem:
        return NO_DEFAULTS, [problem]


def _content(file: Path, path: str) -> bytes | None:
    if file.is_symlink():
        raise InvalidGoal(readable(path), 1, *LINK)
    if not path.isprintable():
        raise InvalidGoal(readable(path), 1, *UNREADABLE_PATH)
    return None if file.stat().st_size > MAX_GOAL_BYTES else file.read_bytes()
