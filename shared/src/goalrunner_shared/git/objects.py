"""Reading a repository's objects: whole trees and many blobs in one process each."""

import re
from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile
from typing import IO

from goalrunner_shared.git.command import GitCommand
from goalrunner_shared.git.errors import GitFailed, ObjectMissing
from goalrunner_shared.git.port import TreeEntry

_OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SUBMODULE = "160000"
_CHUNK = 1 << 16


def list_tree(git: GitCommand, commit: str, prefixes: tuple[str, ...]) -> Iterator[TreeEntry]:
    """The files below `prefixes` at `commit`, in path order; ObjectMissing, GitFailed."""
    folders = [prefix.strip("/") + "/" for prefix in prefixes if prefix.strip("/")]
    folders = [] if len(folders) < len(prefixes) else folders
    out = _at_commit(git, commit, "ls-tree", "-r", "-z", "--full-tree", commit, "--", *folders)
    return _parsed(out.decode("utf-8", "surrogateescape"))


def read_blobs(git: GitCommand, blobs: Iterable[str], limit: int) -> Iterator[bytes | None]:
    """Each blob's content in order, None for one of more than `limit` bytes; ObjectMissing, GitFailed."""
    wanted = list(blobs)
    with TemporaryFile() as queries:
        queries.write("".join(f"{object_id(blob)}\n" for blob in wanted).encode())
        queries.seek(0)
        with git.started("cat-file", "--batch", "--buffer", stdin=queries) as process:
            assert process.stdout is not None
            for blob in wanted:
                yield _content(process.stdout, blob, limit)


def file_at(git: GitCommand, commit: str, path: str) -> bytes | None:
    """One file's content (of a symbolic link: its target), None where there is none; ObjectMissing, GitFailed."""
    if not {"", ".", ".."}.isdisjoint(path.split("/")):
        return None
    outcome = git.run("cat-file", "blob", f"{object_id(commit)}:{path}")
    if outcome.status == 0:
        return outcome.out
    listed = _at_commit(git, commit, "ls-tree", "-z", "--full-tree", commit, "--", path)
    if b" blob " in listed.partition(b"\t")[0]:
        raise GitFailed(f"git cat-file failed: {outcome.err}")
    return None


def newest_change(git: GitCommand, commit: str, path: str) -> str | None:
    """The newest commit up to `commit` that changed `path`; ObjectMissing, GitFailed."""
    return _at_commit(git, commit, "rev-list", "-1", commit, "--", path).decode().strip() or None


def object_id(name: str) -> str:
    """`name` when it is a full object id, so that nothing else ever reaches git's command line; ObjectMissing."""
    if not _OBJECT_ID.fullmatch(name):
        raise ObjectMissing(f"{name!r} is not a full object id")
    return name


def holds(git: GitCommand, name: str) -> bool:
    """Whether an object is there; GitFailed where the repository is too damaged to say."""
    outcome = git.run("cat-file", "-e", object_id(name))
    if outcome.status and outcome.err:
        raise GitFailed(f"git cat-file failed: {outcome.err}")
    return outcome.status == 0


def _at_commit(git: GitCommand, commit: str, *args: str) -> bytes:
    object_id(commit)
    outcome = git.run(*args)
    if outcome.status == 0:
        return outcome.out
    if not holds(git, commit):
        raise ObjectMissing(f"the mirror does not hold commit {commit}: fetch first")
    raise GitFailed(f"git {args[0]} failed: {outcome.err}")


def _parsed(listing: str) -> Iterator[TreeEntry]:
    for record in listing.split("\0")[:-1]:
        meta, path = record.split("\t", 1)
        mode, _, blob = meta.split(" ")
        if mode != _SUBMODULE:
            yield TreeEntry(path=path, blob=blob, mode=mode)


def _content(stream: IO[bytes], blob: str, limit: int) -> bytes | None:
    header = stream.readline().split()
    if len(header) == 2:
        raise ObjectMissing(f"the mirror does not hold blob {blob}: fetch first")
    if len(header) != 3:
        raise GitFailed(f"git cat-file ended before blob {blob}")
    size = int(header[2])
    content = stream.read(size) if size <= limit else None
    _skip(stream, 1 if size <= limit else size + 1)
    return content


def _skip(stream: IO[bytes], size: int) -> None:
    while size > 0:
        size -= len(stream.read(min(size, _CHUNK))) or size
