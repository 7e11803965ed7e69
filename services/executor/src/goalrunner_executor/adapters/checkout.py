"""The workspace: a temporary folder with a checkout of the goals repository."""

import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from goalrunner_executor.ports import Place
from goalrunner_shared.git.errors import ObjectMissing
from goalrunner_shared.git.port import GoalsRepository

PREFIX = "goalrunner-step-"
# No invocation lives that long: what is older was left by one that was killed.
ABANDONED = 3600.0


class Checkout:
    """Makes a folder below `scratch` for each invocation and removes it afterwards."""

    def __init__(self, repository: GoalsRepository, scratch: Path) -> None:
        self._repository = repository
        self._scratch = scratch

    @contextmanager
    def open(self, commit: str) -> Iterator[Place]:
        self._scratch.mkdir(parents=True, exist_ok=True)
        _sweep(self._scratch)
        base = Path(mkdtemp(prefix=PREFIX, dir=self._scratch)).resolve()
        try:
            repo = self._check_out(commit, base)
            place = Place(repo=repo, out=repo / "out", home=base / "home", scratch=base / "tmp")
            _remove(place.out)
            for folder in (place.out, place.home, place.scratch):
                folder.mkdir()
            yield place
        finally:
            _remove(base)

    def _check_out(self, commit: str, base: Path) -> Path:
        try:
            self._repository.checkout(commit, base / "repo")
            return base / "repo"
        except ObjectMissing:
            # The mirror has not seen this commit yet.
            self._repository.fetch()
            _remove(base / "repo")
            self._repository.checkout(commit, base / "repo")
            return base / "repo"


def _sweep(scratch: Path) -> None:
    for old in scratch.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError):
            if time.time() - old.stat().st_mtime > ABANDONED:
                _remove(old)


def _remove(path: Path) -> None:
    """Whatever is there, also where the agent has taken away its own right to write."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path, onerror=_make_writable_and_retry)


def _make_writable_and_retry(function: Callable[[str], object], path: str, _: Any) -> None:
    with suppress(OSError):
        parent = Path(path).parent
        parent.chmod(stat.S_IRWXU)
        if function in (os.scandir, os.open, os.lstat, os.listdir):
            Path(path).chmod(stat.S_IRWXU)
            shutil.rmtree(path, ignore_errors=True)
        else:
            function(path)
