"""What is known of a goal when an attempt at it is planned, read at one commit and so the same in every repeat."""

from collections.abc import Iterator, Sequence
from itertools import islice

from goalrunner_events import GoalDueV1
from goalrunner_planner.domain import CannotPlan
from goalrunner_shared.errors import InputError
from goalrunner_shared.git.port import GoalsRepository
from goalrunner_shared.goals.attempts import AttemptFile, attempt_of_path, parse_attempt
from goalrunner_shared.goals.defaults import DEFAULTS_PATH, parse_defaults
from goalrunner_shared.goals.parse import ParsedGoal, parse_goal
from goalrunner_shared.goals.problems import InvalidGoal

REMEMBERED = 3
LOOKED_AT = 10
LARGEST_ATTEMPT = 1024 * 1024


def read_goal(repository: GoalsRepository, due: GoalDueV1) -> ParsedGoal:
    """The goal as its file stands at the commit of the event; CannotPlan where it is gone or invalid."""
    content = repository.file(due.commit, due.path)
    if content is None:
        raise CannotPlan(f"{due.path} does not exist at commit {due.commit[:12]}")
    try:
        parsed = parse_goal(due.path, content, parse_defaults(repository.file(due.commit, DEFAULTS_PATH)))
    except InvalidGoal as error:
        raise CannotPlan(str(error)) from error
    if parsed.goal.id != due.goal:
        raise CannotPlan(f"{due.path} holds the goal {parsed.goal.id}, not {due.goal}")
    return parsed


def past_attempts(repository: GoalsRepository, due: GoalDueV1) -> Sequence[AttemptFile]:
    """The last finished attempts at the goal, newest first; only the newest few files are looked at."""
    entries = repository.entries(due.commit, f"attempts/{due.goal}")
    files = [entry for entry in entries if attempt_of_path(entry.path)]
    newest = files[: -LOOKED_AT - 1 : -1]
    if not newest:
        return []
    contents = list(repository.read((entry.blob for entry in newest), limit=LARGEST_ATTEMPT))
    return list(islice(_finished(contents), REMEMBERED))


def _finished(contents: Sequence[bytes | None]) -> Iterator[AttemptFile]:
    for content in contents:
        try:
            attempt = parse_attempt(content or b"")
        except InputError:
            continue
        if attempt.status != "planned":
            yield attempt
