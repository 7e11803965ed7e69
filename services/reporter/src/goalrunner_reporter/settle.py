"""What a report changes in the repository, decided on the tip that it will stand on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from goalrunner_events import AttemptFinishedV1
from goalrunner_reporter.account import rank, settled
from goalrunner_reporter.domain import Refused, Verdict
from goalrunner_reporter.goal_file import read_goal
from goalrunner_reporter.record import completed, planned_part
from goalrunner_reporter.tree import Tree
from goalrunner_shared.errors import InputError
from goalrunner_shared.goals.attempts import AttemptFile, attempt_of_path, attempt_path, parse_attempt, render_attempt
from goalrunner_shared.goals.ids import split_attempt_id
from goalrunner_shared.goals.parse import ParsedGoal
from goalrunner_shared.goals.state import with_state


@dataclass(frozen=True)
class Ending:
    """An attempt that has ended, with a verdict on each of its artefacts; `at`: when it ended."""

    event: AttemptFinishedV1
    event_id: str
    at: datetime
    verdicts: Sequence[Verdict]

    @property
    def folders(self) -> tuple[str, str]:
        """The folders of the repository that a report looks into."""
        return f"attempts/{self.event.goal}", artifacts_folder(self.event.goal)


def artifacts_folder(goal: str) -> str:
    """Where a goal's artefacts lie."""
    return f"artifacts/{goal}"


def changes(ending: Ending, tree: Tree) -> Mapping[str, bytes]:
    """The files that the report writes; none where the attempt has its result already."""
    event = ending.event
    path = attempt_path(event.attempt)
    planned = planned_part(tree.file(path), event, tip=tree.commit, at=ending.at)
    if planned.status != "planned":
        return {}
    files, refused = _artifacts(ending, tree)
    ended = completed(planned, event, artifacts=tuple(files), refused=refused, at=ending.at)
    goal = read_goal(event, tree)
    others = _other_attempts(tree, ended, goal)
    newer = {path for other in others if rank(other) > rank(ended) for path in other.artifacts}
    mine = {path: content for path, content in files.items() if path not in newer}
    return {path: render_attempt(ended), **mine, **(_goal_file(goal, ended, others) if goal else {})}


def _artifacts(ending: Ending, tree: Tree) -> tuple[dict[str, bytes], Sequence[Refused]]:
    folder = artifacts_folder(ending.event.goal)
    files: dict[str, bytes] = {}
    refused: list[Refused] = []
    for verdict in ending.verdicts:
        path = f"{folder}/{verdict.path}"
        if isinstance(verdict, Refused):
            refused.append(verdict)
        elif (obstacle := tree.obstacle(path)) is not None:
            refused.append(Refused(verdict.path, f"{obstacle} in the repository stands in its way"))
        else:
            files[path] = verdict.content
    return files, refused


def _other_attempts(tree: Tree, ended: AttemptFile, goal: ParsedGoal | None) -> Sequence[AttemptFile]:
    """The goal's other attempts that have ended, as many of them as its state and the artefacts need."""
    since = _needed_since(ended, goal)
    paths = [path for path in tree.below(f"attempts/{ended.goal}") if _is_other(path, ended, since)]
    return [attempt for _, content in tree.contents(paths) if (attempt := _ended(content)) is not None]


def _needed_since(ended: AttemptFile, goal: ParsedGoal | None) -> datetime | None:
    """The slot before which no attempt matters; None where all matter: the state begins anew, or this one is late."""
    if goal is None:
        return ended.slot
    counted = goal.state.slot if goal.state is not None and goal.state.last_attempt is not None else None
    return counted if counted is not None and counted < ended.slot else None


def _is_other(path: str, ended: AttemptFile, since: datetime | None) -> bool:
    attempt = attempt_of_path(path)
    if attempt is None or attempt == ended.id:
        return False
    # The name is to the minute.
    return since is None or split_attempt_id(attempt).instant >= since.replace(second=0, microsecond=0)


def _ended(content: bytes) -> AttemptFile | None:
    try:
        attempt = parse_attempt(content)
    except InputError:
        return None
    return None if attempt.status == "planned" else attempt


def _goal_file(goal: ParsedGoal, ended: AttemptFile, others: Sequence[AttemptFile]) -> Mapping[str, bytes]:
    state = settled(goal.state, ended, others, goal=goal.goal)
    return {goal.path: with_state(goal.content, state)}
