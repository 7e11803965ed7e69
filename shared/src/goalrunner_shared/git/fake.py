"""The goals repository in memory: a real implementation of the port, for the tests of those who use it."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from goalrunner_shared.git.drafts import FOLDER, message_of, planned_modes
from goalrunner_shared.git.errors import ObjectMissing
from goalrunner_shared.git.port import BuildDrafts, CommitDraft, PushRefused, RepositoryUnreachable, TreeEntry

_LINK = "120000"


@dataclass(frozen=True)
class _File:
    mode: str
    content: bytes

    @property
    def blob(self) -> str:
        return hashlib.sha1(b"blob %d\0" % len(self.content) + self.content, usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class MadeCommit:
    """A commit of the fake: its parent, its whole tree, and the draft that it was made from (None: somebody else)."""

    id: str
    parent: str | None
    tree: Mapping[str, _File] = field(repr=False)
    draft: CommitDraft | None
    message: str


class InMemoryRepository:
    """GoalsRepository in a dict. `files` is the first commit; `modes` for those that are not `100644`."""

    def __init__(self, files: Mapping[str, bytes], *, modes: Mapping[str, str] | None = None, tries: int = 8) -> None:
        self._commits: dict[str, MadeCommit] = {}
        self._tries = tries
        self._moves: list[Mapping[str, bytes | None]] = []
        self._refusal: str | None = None
        self.reachable = True
        tree = {path: _File((modes or {}).get(path, "100644"), content) for path, content in files.items()}
        self._remote = self._fetched = self._add(None, tree, None, "first\n")

    @property
    def tip(self) -> str:
        """The commit that the remote is at."""
        return self._remote

    def history(self) -> list[MadeCommit]:
        """The remote's commits, newest first."""
        return list(self._ancestry(self._remote))

    def commit_elsewhere(self, files: Mapping[str, bytes | None]) -> str:
        """Somebody else pushes these files now (None: the file goes)."""
        tree = dict(self._commits[self._remote].tree)
        for path, content in files.items():
            if content is None:
                tree.pop(path, None)
            else:
                tree[path] = _File(tree[path].mode if path in tree else "100644", content)
        self._remote = self._add(self._remote, tree, None, "elsewhere\n")
        return self._remote

    def move_before_next_push(self, files: Mapping[str, bytes | None]) -> None:
        """Somebody else pushes these files after the next `build` and before its push; one push for each call."""
        self._moves.append(files)

    def refuse_pushes(self, words: str | None) -> None:
        """From now on the remote refuses every push with these words (None: it takes them again)."""
        self._refusal = words

    def fetch(self) -> str:
        if not self.reachable:
            raise RepositoryUnreachable("the repository in memory cannot be read: it was made unreachable")
        self._fetched = self._remote
        return self._fetched

    def entries(self, commit: str, *prefixes: str) -> Iterator[TreeEntry]:
        folders = tuple(f"{prefix.strip('/')}/" if prefix.strip("/") else "" for prefix in prefixes) or ("",)
        tree = self._commit(commit).tree
        listed = sorted((path for path in tree if path.startswith(folders)), key=_bytes)
        return iter([TreeEntry(path=path, blob=tree[path].blob, mode=tree[path].mode) for path in listed])

    def read(self, blobs: Iterable[str], *, limit: int) -> Iterator[bytes | None]:
        known = {file.blob: file.content for commit in self._commits.values() for file in commit.tree.values()}
        for blob in blobs:
            if blob not in known:
                raise ObjectMissing(f"no blob {blob} in memory")
            yield known[blob] if len(known[blob]) <= limit else None

    def file(self, commit: str, path: str) -> bytes | None:
        found = self._commit(commit).tree.get(path)
        return found.content if found else None

    def last_commit(self, commit: str, path: str) -> str | None:
        for one in self._ancestry(self._commit(commit).id):
            before = self._commits[one.parent].tree if one.parent else {}
            if _below(one.tree, path) != _below(before, path):
                return one.id
        return None

    def write(self, build: BuildDrafts) -> Mapping[str, str]:
        for _ in range(self._tries):
            tip = self._fetched
            drafts = build(tip)
            if not drafts:
                return {}
            commits = self._made(tip, drafts)
            if self._moves:
                self.commit_elsewhere(self._moves.pop(0))
            if not self.reachable:
                self.fetch()
            if self._refusal:
                raise PushRefused(f"the repository in memory refused the push ({self._refusal}): it was told to")
            if self._remote == tip:
                self._remote = self._fetched = commits[drafts[-1].key]
                return commits
            self.fetch()
        raise PushRefused(
            f"the repository in memory moved during each of {self._tries} tries to push (stale info): try again later"
        )

    def checkout(self, commit: str, target: Path) -> None:
        tree = self._commit(commit).tree
        target.mkdir(parents=True)
        for path, file in tree.items():
            place = target / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if file.mode == _LINK:
                place.symlink_to(file.content.decode("utf-8", "surrogateescape"))
            else:
                place.write_bytes(file.content)
                place.chmod(0o755 if file.mode == "100755" else 0o644)

    def _made(self, tip: str, drafts: Iterable[CommitDraft]) -> dict[str, str]:
        drafts = list(drafts)
        tree = dict(self._commits[tip].tree)
        modes = planned_modes(drafts, self._mode_at(tip))
        commits: dict[str, str] = {}
        parent = tip
        for draft in drafts:
            tree |= {path: _File(modes[path], content) for path, content in draft.files.items()}
            parent = commits[draft.key] = self._add(
                parent, dict(tree), draft, message_of(draft).decode("utf-8", "surrogateescape")
            )
        return commits

    def _mode_at(self, tip: str) -> Callable[[str], str | None]:
        tree = self._commits[tip].tree
        folders = {str(parent) for path in tree for parent in PurePosixPath(path).parents}
        return lambda path: tree[path].mode if path in tree else FOLDER if path in folders else None

    def _add(self, parent: str | None, tree: Mapping[str, _File], draft: CommitDraft | None, message: str) -> str:
        listing = "\n".join(f"{file.mode} {file.blob} {path!r}" for path, file in sorted(tree.items()))
        when = draft.at.isoformat() if draft else ""
        content = f"{parent} {when}\n{listing}\n\n{message!r}".encode()
        name = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        self._commits[name] = MadeCommit(id=name, parent=parent, tree=tree, draft=draft, message=message)
        return name

    def _commit(self, commit: str) -> MadeCommit:
        if commit not in self._commits:
            raise ObjectMissing(f"no commit {commit} in memory: fetch first")
        return self._commits[commit]

    def _ancestry(self, commit: str) -> Iterator[MadeCommit]:
        name: str | None = commit
        while name:
            yield self._commits[name]
            name = self._commits[name].parent


def _below(tree: Mapping[str, _File], path: str) -> dict[str, _File]:
    folder = f"{path.rstrip('/')}/"
    return {name: file for name, file in tree.items() if name == path or name.startswith(folder)}


def _bytes(path: str) -> bytes:
    return path.encode("utf-8", "surrogateescape")
