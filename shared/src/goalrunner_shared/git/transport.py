"""The two ways over to the remote: bring its branch here, and push commits onto it."""

from dataclasses import dataclass
from pathlib import Path

from goalrunner_shared.git.address import local_path
from goalrunner_shared.git.command import GitCommand, Outcome
from goalrunner_shared.git.errors import one_line, without_credentials
from goalrunner_shared.git.folder import tip_ref
from goalrunner_shared.git.port import RepositoryUnreachable
from goalrunner_shared.git.remote import is_clean

# A checked-out branch is moved together with its clean work tree, without a word in the user's configuration.
_UPDATE_INSTEAD = "--receive-pack=git -c receive.denyCurrentBranch=updateInstead receive-pack"
_CONTENTION = ("stale info", "fetch first", "non-fast-forward", "lock", "failed to update ref", "incorrect old value")


@dataclass(frozen=True)
class Rejection:
    """Why a push did not land: the remote's words; `contended` when another writer was merely faster;
    `unanswered` when the remote named no verdict, so that the commits may have landed all the same."""

    words: str
    contended: bool = False
    unanswered: bool = False


@dataclass(frozen=True)
class Transport:
    """A remote as git reaches it from one mirror; `timeout` bounds each exchange, in seconds."""

    git: GitCommand
    remote: str
    timeout: float

    @property
    def shown(self) -> str:
        """The remote's address as it may stand in a message."""
        return without_credentials(self.remote)

    @property
    def folder(self) -> Path | None:
        """The remote's folder when it lies on this machine."""
        return local_path(self.remote)

    def advertised(self, branch: str | None) -> tuple[str, str]:
        """The branch (the remote's HEAD for None) and the commit it is at now; RepositoryUnreachable."""
        asked = f"refs/heads/{branch}" if branch else "HEAD"
        outcome = self._run("ls-remote", "--symref", "goals", asked, branch=branch or "HEAD")
        if outcome.status:
            raise RepositoryUnreachable(f"{self.shown} cannot be read: {one_line(outcome.err)}")
        answers = _answers(outcome.text())
        named = branch or _head_branch(outcome.text())
        if named is None and "HEAD" in answers:
            raise RepositoryUnreachable(f"the HEAD of {self.shown} is on no branch: name the branch to work on")
        if named is None or asked not in answers:
            what = f"branch {branch}" if branch else "commit"
            raise RepositoryUnreachable(f"{self.shown} has no {what} yet: commit the goals there first")
        return named, answers[asked]

    def fetch(self, branch: str) -> Outcome:
        """Bring the branch's commits here and move the tip, or leave everything as it was."""
        return self._run(
            "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--update-shallow", "goals", branch=branch
        )

    def push(self, branch: str, *, commit: str, tip: str) -> Rejection | None:
        """Move the remote's branch from exactly `tip` to `commit`; None when it landed."""
        ref = f"refs/heads/{branch}"
        local = [_UPDATE_INSTEAD] if self.folder else []
        lease = f"--force-with-lease={ref}:{tip}"
        outcome = self._run("push", "--porcelain", lease, *local, "goals", f"{commit}:{ref}", branch=branch)
        return None if outcome.status == 0 else _rejection(outcome)

    def _run(self, *args: str, branch: str) -> Outcome:
        settings = (f"remote.goals.url={self.remote}", f"remote.goals.fetch=+refs/heads/{branch}:{tip_ref(branch)}")
        git = GitCommand(folder=self.git.folder, options=self.git.options, config=settings)
        return git.run(*args, timeout=self.timeout)


def refusal(transport: Transport, rejection: Rejection) -> str:
    """What to tell a person whose remote will not take the commits: its words, and what to do."""
    folder = transport.folder
    if folder and not is_clean(folder):
        return (
            f"the work tree {folder} has changes of its own and took no commits ({rejection.words}): "
            f"commit or stash first: git -C {folder} status"
        )
    return (
        f"{transport.shown} refused the push ({rejection.words}): "
        "see what its hooks, its branch rules or your permissions ask for, then try again"
    )


def _answers(text: str) -> dict[str, str]:
    lines = (line.split("\t", 1) for line in text.splitlines() if not line.startswith("ref:"))
    return {name: commit for commit, name in lines}


def _head_branch(answer: str) -> str | None:
    lines = (line.split() for line in answer.splitlines())
    heads = (line[1] for line in lines if len(line) == 3 and line[0] == "ref:" and line[2] == "HEAD")
    return next((head.removeprefix("refs/heads/") for head in heads), None)


def _rejection(outcome: Outcome) -> Rejection:
    verdicts = [line.split("\t")[-1] for line in outcome.text().splitlines() if line.startswith("!")]
    if not verdicts:
        return Rejection(words=one_line(outcome.err), unanswered=True)
    said = "\n".join(line for line in outcome.err.splitlines() if line.startswith("remote:"))
    words = one_line("\n".join([*verdicts, said]))
    return Rejection(words=words, contended=any(sign in verdicts[0] for sign in _CONTENTION))
