"""What lies at the address that a person gave, before any work is done with it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goalrunner_shared.errors import InputError
from goalrunner_shared.git.address import local_path
from goalrunner_shared.git.command import GitCommand
from goalrunner_shared.git.errors import one_line


@dataclass(frozen=True)
class Remote:
    """A goals repository as its address shows it; for a URL only kind and address are known.

    `address` is what GitRepository takes. `branch` None: HEAD is on no branch. `clean`: a push would not meet
    changes in the work tree (files that git does not track do not count). `empty`: no commit on the branch yet.
    """

    kind: Literal["bare", "worktree", "url"]
    address: str
    path: Path | None = None
    branch: str | None = None
    clean: bool = True
    empty: bool = False


def describe_remote(repo: str) -> Remote:
    """The repository at `repo`, ready to be worked with; InputError with what to type where it is not."""
    remote = look_at_remote(repo)
    path = remote.path
    if path is None:
        return remote
    if remote.branch is None:
        raise InputError(f"the HEAD of {path} is on no branch: git -C {path} switch BRANCH")
    if remote.empty:
        raise InputError(f"{path} has no commit on {remote.branch} yet: commit the goals there first")
    if not remote.clean:
        raise InputError(f"{path} has uncommitted changes: commit or stash first: git -C {path} status")
    return remote


def look_at_remote(repo: str) -> Remote:
    """The repository at `repo` in whatever state it is; InputError where there is none."""
    path = local_path(repo)
    if path is None:
        return Remote(kind="url", address=repo)
    if not path.is_dir():
        raise InputError(f"{path} does not exist: make it with git init --bare {path}, or name another folder or URL")
    return _looked_at(path)


def is_clean(path: Path) -> bool:
    """Whether git would let a push move this folder's files; true of a bare repository."""
    return not _at(path).run("status", "--porcelain", "--untracked-files=no").text()


def _looked_at(path: Path) -> Remote:
    bare = _at(path).run("rev-parse", "--is-bare-repository")
    if bare.status:
        raise InputError(f"{path} is not a git repository ({one_line(bare.err)}): git -C {path} init, or name another")
    if bare.text() == "true":
        root = Path(_at(path).check("rev-parse", "--absolute-git-dir").text())
        return _remote("bare", root, clean=True)
    top = _at(path).run("rev-parse", "--show-toplevel")
    if top.status:
        raise InputError(f"{path} lies inside a .git folder: name the work tree round it")
    root = Path(top.text())
    return _remote("worktree", root, clean=is_clean(root))


def _remote(kind: Literal["bare", "worktree"], root: Path, *, clean: bool) -> Remote:
    branch = _at(root).run("symbolic-ref", "--quiet", "--short", "HEAD").text() or None
    empty = _at(root).run("rev-parse", "--quiet", "--verify", "HEAD^{commit}").status != 0
    return Remote(kind=kind, address=str(root), path=root, branch=branch, clean=clean, empty=empty)


def _at(path: Path) -> GitCommand:
    return GitCommand(folder=path, options=("--no-optional-locks",))
