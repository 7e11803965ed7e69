"""The goals repository behind its port: git through a mirror that any number of processes share."""

import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from goalrunner_shared.errors import InputError
from goalrunner_shared.git.address import absolute
from goalrunner_shared.git.checkout import lay_out
from goalrunner_shared.git.errors import GitFailed, ObjectMissing, one_line
from goalrunner_shared.git.fast_import import import_drafts
from goalrunner_shared.git.folder import MirrorFolder
from goalrunner_shared.git.objects import file_at, list_tree, newest_change, read_blobs
from goalrunner_shared.git.port import BuildDrafts, CommitDraft, PushRefused, RepositoryUnreachable, TreeEntry
from goalrunner_shared.git.transport import Rejection, Transport, refusal

_AUTHOR = re.compile(r"[^<>\n\0]+ <[^<>\s\0]+>")
_BRANCH = re.compile(r"(?![-/])[^\s:*?\[\\^~\0]+")
# A work tree that another push is just updating looks dirty for a moment.
_REFUSALS = 3
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0


class GitRepository:
    """GoalsRepository over git.

    `remote` is a folder or any URL that git knows; `branch` None is the remote's HEAD as first seen by this object.
    `mirror` is made on first use. `author` is `Name <mail>`. `timeout` (seconds) bounds one exchange with the remote.
    """

    def __init__(
        self,
        *,
        remote: str,
        branch: str | None,
        mirror: Path,
        author: str,
        tries: int = 8,
        timeout: float = 120.0,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if not _AUTHOR.fullmatch(author):
            raise ValueError(f"{author!r} is not of the form Name <mail>")
        if branch is not None and not _BRANCH.fullmatch(branch):
            raise InputError(f"{branch!r} cannot be the name of a branch: give it as git branch shows it")
        self._folder = MirrorFolder(mirror)
        self._transport = Transport(git=self._folder.git, remote=absolute(remote), timeout=timeout)
        self._branch, self._author, self._tries = branch, author, tries
        self._sleep, self._chance = sleep, chance

    def fetch(self) -> str:
        self._folder.open()
        branch, commit = self._advertised()
        if self._folder.tip(branch) != commit:
            with self._folder.locked():
                self._bring(branch)
        return self._folder.tip(branch) or commit

    def entries(self, commit: str, *prefixes: str) -> Iterator[TreeEntry]:
        with self._reading():
            return list_tree(self._folder.git, commit, prefixes)

    def read(self, blobs: Iterable[str], *, limit: int) -> Iterator[bytes | None]:
        with self._reading():
            yield from read_blobs(self._folder.git, blobs, limit)

    def file(self, commit: str, path: str) -> bytes | None:
        with self._reading():
            return file_at(self._folder.git, commit, path)

    def last_commit(self, commit: str, path: str) -> str | None:
        with self._reading():
            return newest_change(self._folder.git, commit, path)

    def checkout(self, commit: str, target: Path) -> None:
        with self._reading():
            lay_out(self._folder.git, commit, target)

    def write(self, build: BuildDrafts) -> Mapping[str, str]:
        tried: list[_Try] = []
        rejection: Rejection | None = None
        for number in range(self._tries):
            if number:
                self._sleep(self._wait(number))
            with self._folder.locked():
                tip = self.fetch() if number else self._known_tip()
                if tried and self._landed_unheard(tried[-1], tip):
                    return tried[-1].commits
                drafts = build(tip)
                if not drafts:
                    return {}
                tried.append(self._try(tip, drafts))
            rejection = tried[-1].rejection
            if rejection is None:
                return tried[-1].commits
            if sum(one.tip == tip and not one.contended for one in tried) == _REFUSALS:
                raise PushRefused(refusal(self._transport, rejection))
        raise PushRefused(
            f"{self._transport.shown} moved during each of {self._tries} tries to push "
            f"({rejection.words if rejection else ''}): try again later"
        )

    def _try(self, tip: str, drafts: Sequence[CommitDraft]) -> "_Try":
        with self._reading():
            commits = import_drafts(self._folder.git, tip=tip, drafts=drafts, author=self._author)
        last = commits[drafts[-1].key]
        rejection = self._transport.push(self._branch or "", commit=last, tip=tip)
        if rejection is None:
            self._folder.tidy()
        elif rejection.unanswered:
            self._doubt()
        return _Try(tip=tip, commits=commits, last=last, rejection=rejection)

    def _landed_unheard(self, one: "_Try", tip: str) -> bool:
        """Whether commits whose push got no answer are in the remote's branch after all."""
        if one.rejection is None or not one.rejection.unanswered:
            return False
        return self._folder.git.run("merge-base", "--is-ancestor", one.last, tip).status == 0

    def _wait(self, number: int) -> float:
        return self._chance() * min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**number)

    def _known_tip(self) -> str:
        self._folder.open()
        known = self._folder.tip(self._branch) if self._branch else None
        return known or self.fetch()

    def _advertised(self) -> tuple[str, str]:
        try:
            self._branch, commit = self._transport.advertised(self._branch)
        except RepositoryUnreachable:
            if self._folder.git.run("rev-parse", "--git-dir").status == 0:
                raise
            self._renew()
            self._branch, commit = self._transport.advertised(self._branch)
        return self._branch, commit

    def _bring(self, branch: str) -> None:
        outcome = self._transport.fetch(branch)
        if outcome.status and not self._folder.sound():
            self._renew()
            outcome = self._transport.fetch(branch)
        if outcome.status:
            raise RepositoryUnreachable(f"{self._transport.shown} cannot be fetched: {one_line(outcome.err)}")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        self._folder.open()
        try:
            yield
        except ObjectMissing:
            self._doubt()
            raise
        except GitFailed:
            self._folder.suspect()
            raise

    def _doubt(self) -> None:
        if not self._folder.sound():
            self._folder.suspect()

    def _renew(self) -> None:
        self._folder.suspect()
        self._folder.open()


@dataclass(frozen=True)
class _Try:
    tip: str
    commits: dict[str, str]
    last: str
    rejection: Rejection | None

    @property
    def contended(self) -> bool:
        return self.rejection is not None and self.rejection.contended
