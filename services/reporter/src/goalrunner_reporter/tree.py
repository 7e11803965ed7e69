"""The part of the repository that a batch of reports touches, with what the reports before have changed in it."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from goalrunner_shared.git.port import GoalsRepository

LARGEST_ATTEMPT = 16 * 1024 * 1024


class Tree:
    """The files of a commit below some folders, and single files elsewhere; `put` lays others over them."""

    def __init__(self, repository: GoalsRepository, commit: str, folders: Sequence[str] = ()) -> None:
        self.commit = commit
        self._repository = repository
        self._entries = {entry.path: entry for entry in repository.entries(commit, *folders)} if folders else {}
        self._read: dict[str, bytes | None] = {}
        self._put: dict[str, bytes] = {}

    def put(self, files: Mapping[str, bytes]) -> None:
        """From now on these files have this content."""
        self._put.update(files)

    def file(self, path: str) -> bytes | None:
        """A file's content, wherever it lies; None where there is none."""
        if path in self._put:
            return self._put[path]
        if path not in self._read:
            self._read[path] = self._repository.file(self.commit, path)
        return self._read[path]

    def listing(self, folder: str) -> Iterator[str]:
        """The paths below any folder of the commit itself."""
        return (entry.path for entry in self._repository.entries(self.commit, folder))

    def below(self, folder: str) -> Sequence[str]:
        """The paths below one of the folders, in order."""
        known = self._entries.keys() | self._put.keys()
        return sorted(path for path in known if path.startswith(f"{folder}/"))

    def contents(self, paths: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Path and content of files below the folders, read in one pass."""
        yield from ((path, self._put[path]) for path in paths if path in self._put)
        stored = [path for path in paths if path not in self._put]
        if not stored:
            return
        blobs = (self._entries[path].blob for path in stored)
        for path, content in zip(stored, self._repository.read(blobs, limit=LARGEST_ATTEMPT), strict=True):
            yield path, content or b""

    def obstacle(self, path: str) -> str | None:
        """What stands in the way of writing a file below one of the folders: a folder, a link, a file as a parent."""
        for parent in PurePosixPath(path).parents:
            if str(parent) in self._entries or str(parent) in self._put:
                return str(parent)
        entry = self._entries.get(path)
        if entry is not None and not entry.mode.startswith("100"):
            return path
        return next(iter(self.below(path)), None)
