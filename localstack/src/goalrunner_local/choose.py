"""Which repository and which state folder a command is about."""

import os
from dataclasses import dataclass
from pathlib import Path

from goalrunner_local.state import StateFolder, default_state
from goalrunner_shared.errors import InputError
from goalrunner_shared.git.errors import without_credentials
from goalrunner_shared.git.mirror import GitRepository
from goalrunner_shared.git.remote import describe_remote, look_at_remote
from goalrunner_shared.goals.defaults import DEFAULTS_PATH, parse_defaults
from goalrunner_shared.goals.parse import ParsedGoal, is_goal_path, parse_goal
from goalrunner_shared.goals.problems import did_you_mean
from goalrunner_shared.settings import AUTHOR

MAX_GOAL_BYTES = 256 * 1024


@dataclass(frozen=True)
class Choice:
    """The address of the repository as git takes it, and the folder where this machine remembers its runs."""

    repository: str
    state: StateFolder

    def mirror(self) -> GitRepository:
        """The repository as the command itself reads it."""
        return GitRepository(
            remote=self.repository, branch=None, mirror=self.state.mirrors / "goalrunner.git", author=AUTHOR
        )

    def require_goal(self, goal: str) -> ParsedGoal:
        """The goal of this id at the tip; InputError where there is none or its file is invalid."""
        repository = self.mirror()
        tip = repository.fetch()
        paths = {
            Path(entry.path).stem: entry.path for entry in repository.entries(tip, "goals/") if is_goal_path(entry.path)
        }
        if goal not in paths:
            meant = did_you_mean(goal, paths)
            hint = f"did you mean {meant}?" if meant else "goalrunner status lists them"
            raise InputError(f"there is no goal {goal} in {without_credentials(self.repository)}: {hint}")
        defaults = parse_defaults(repository.file(tip, DEFAULTS_PATH))
        return parse_goal(paths[goal], repository.file(tip, paths[goal]), defaults)


def choose(repo: str | None, state: Path | None, *, for_writing: bool = False) -> Choice:
    """The choice that options and environment make; InputError where the repository is not to be used."""
    given = repo or os.curdir
    remote = describe_remote(given) if for_writing else look_at_remote(given)
    folder = StateFolder(state.absolute()) if state else default_state(remote.address)
    return Choice(remote.address, folder)
