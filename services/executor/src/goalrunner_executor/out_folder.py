"""What the agent leaves in `out/`: kept in the bucket while it works, laid out again where it goes on."""

import os
import stat
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from goalrunner_events import Artifact, BlobRef
from goalrunner_executor.job_files import JobFiles
from goalrunner_shared.blobs import fetch

LARGEST_FILE = 50 * 1024 * 1024
LARGEST_SUM = 200 * 1024 * 1024
MOST_FILES = 1000


class _Seen(NamedTuple):
    """What tells that a file has not changed since it was uploaded."""

    inode: int
    size: int
    changed: int


class LeftOut(Exception):
    """This file is not taken, and why."""


class OutFolder:
    """Mirrors `folder` to the step's objects; each object is named by its content, so none is ever overwritten."""

    def __init__(self, folder: Path, files: JobFiles) -> None:
        self._folder = folder
        self._files = files
        self._known: dict[str, tuple[_Seen, Artifact]] = {}
        self.left_out: tuple[str, ...] = ()

    def restore(self, artifacts: tuple[Artifact, ...]) -> None:
        """Lay out what was kept; TransientError where an object is missing."""
        for artifact in artifacts:
            place = self._folder / PurePosixPath(artifact.path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(fetch(self._files.blobs, artifact.blob))

    def keep(self) -> tuple[Artifact, ...]:
        """Upload what has changed and return all that is there; `left_out` then names what is not taken."""
        kept: list[Artifact] = []
        left_out: list[str] = []
        room = LARGEST_SUM
        for name, folder, entry in _entries(self._folder):
            try:
                if len(kept) == MOST_FILES:
                    raise LeftOut(f"more than {MOST_FILES} files")
                artifact = self._keep(name, folder, entry, room)
            except LeftOut as error:
                left_out.append(f"{_printable(name)}: {error}")
            else:
                kept.append(artifact)
                room -= artifact.blob.bytes
        self.left_out = tuple(left_out)
        return tuple(kept)

    def _keep(self, name: str, folder: int, entry: str, room: int) -> Artifact:
        found = os.stat(entry, dir_fd=folder, follow_symlinks=False)
        _check(name, found, room)
        seen = _Seen(found.st_ino, found.st_size, found.st_ctime_ns)
        known = self._known.get(name)
        if known is None or known[0] != seen:
            known = (seen, self._upload(name, _content(entry, folder)))
            self._known[name] = known
        return known[1]

    def _upload(self, name: str, content: bytes) -> Artifact:
        digest = sha256(content).hexdigest()
        key = self._files.key(f"out/{digest[:16]}/{name}")
        self._files.blobs.put(key, content)
        return Artifact(path=name, blob=BlobRef(key=key, sha256=digest, bytes=len(content)))


def _entries(folder: Path) -> Iterator[tuple[str, int, str]]:
    """Path below `folder`, the descriptor of its own folder and its name there, in order, through no link."""
    if folder.is_symlink() or not folder.is_dir():
        return
    for root, folders, files, descriptor in os.fwalk(folder):
        links = [
            each for each in folders if stat.S_ISLNK(os.stat(each, dir_fd=descriptor, follow_symlinks=False).st_mode)
        ]
        folders[:] = sorted(each for each in folders if each not in links)
        for entry in sorted([*files, *links]):
            yield (Path(root) / entry).relative_to(folder).as_posix(), descriptor, entry


def _check(name: str, found: os.stat_result, room: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise LeftOut("not a regular file")
    if found.st_nlink > 1:
        raise LeftOut("has more than one hard link")
    if found.st_size > min(LARGEST_FILE, room):
        raise LeftOut(f"too large ({found.st_size} bytes)")
    if _printable(name) != name:
        raise LeftOut("its name is not UTF-8")


def _content(entry: str, folder: int) -> bytes:
    try:
        descriptor = os.open(entry, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError as error:
        raise LeftOut(error.strerror or "cannot be read") from error
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise LeftOut("not a regular file")
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise LeftOut("too large")
    return content


def _printable(name: str) -> str:
    return name.encode("utf-8", "backslashreplace").decode()
