"""What the services need of the goals repository, in their own words."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from goalrunner_shared.errors import TransientError


class RepositoryUnreachable(TransientError):
    """The remote did not answer, or it answered that it is not to be read."""


class PushRefused(TransientError):
    """The remote took none of the commits: others were always faster, its work tree is dirty, or a rule said no."""


@dataclass(frozen=True)
class TreeEntry:
    """One file of a commit; `mode` is git's (`100644`, `100755`, `120000` for a symbolic link)."""

    path: str
    blob: str
    mode: str


@dataclass(frozen=True)
class CommitDraft:
    """A commit to be made on whatever the tip is: whole files by path, nothing else changes.

    `key` is the caller's name for it (an attempt id); `at` is author and committer date.
    """

    key: str
    subject: str
    files: Mapping[str, bytes]
    at: datetime
    trailers: Sequence[tuple[str, str]] = field(default=())
    body: str = ""


BuildDrafts = Callable[[str], Sequence[CommitDraft]]


class GoalsRepository(Protocol):
    """The goals repository at one branch, through a mirror that this process keeps.

    A commit or blob that the mirror does not hold yet is a TransientError: `fetch` first.
    """

    def fetch(self) -> str:
        """Bring the mirror up to date and return the tip's commit id; RepositoryUnreachable."""

    def entries(self, commit: str, *prefixes: str) -> Iterator[TreeEntry]:
        """The files below the folders `prefixes` (all files without), in path order."""

    def read(self, blobs: Iterable[str], *, limit: int) -> Iterator[bytes | None]:
        """The content of each blob, in order, in one pass; None for one of more than `limit` bytes."""

    def file(self, commit: str, path: str) -> bytes | None:
        """One file's content at a commit (of a symbolic link its target); None where there is none."""

    def last_commit(self, commit: str, path: str) -> str | None:
        """The newest commit up to `commit` that changed `path`."""

    def write(self, build: BuildDrafts) -> Mapping[str, str]:
        """Make the drafts that `build(tip)` returns on top of the tip and push them together.

        When the remote has moved, `build` is called again with the new tip, so it must decide there what is still
        to be written (an empty list pushes nothing). Returns draft key → commit id; PushRefused after the last try.
        """

    def checkout(self, commit: str, target: Path) -> None:
        """Lay out a work tree of `commit` at `target`, with its history and without a remote; FileExistsError."""
