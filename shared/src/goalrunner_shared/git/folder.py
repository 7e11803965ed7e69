"""The folder that the mirror lives in: made, locked, cleaned after a kill, replaced when it is damaged."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import mkdtemp
from threading import RLock
from urllib.parse import quote

from goalrunner_shared.git.command import GitCommand

# The folder's own configuration wins over the user's, which stays in force for credentials, ssh and insteadOf.
_CONFIG = """\
[core]
\tlogAllRefUpdates = false
[gc]
\tautoDetach = false
[maintenance]
\tautoDetach = false
[fetch]
\trecurseSubmodules = false
\tprune = false
[push]
\tgpgSign = false
\tfollowTags = false
\trecurseSubmodules = no
[http]
\tlowSpeedLimit = 1000
\tlowSpeedTime = 60
"""
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
# What `gc --auto` itself estimates from: 6,700 loose objects over 256 folders.
_LOOSE_SAMPLE = 27


class MirrorFolder:
    """A bare repository at `path`, shared by any number of processes."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.git = GitCommand(folder=self.path, options=(f"--git-dir={self.path}",))
        self._here = RLock()
        self._depth = 0

    def open(self) -> None:
        """Make the folder when it is not there, and replace one that was found damaged."""
        if not self._usable():
            with self.locked():
                if not self._usable():
                    self._replace()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the other processes (and threads) out; git's own locks left by a killed one are cleared."""
        with self._here:
            self._depth += 1
            try:
                with self._file_locked() if self._depth == 1 else nullcontext():
                    yield
            finally:
                self._depth -= 1

    def tip(self, branch: str) -> str | None:
        """The commit that the remote's branch was last seen at; read as a file, which is cheaper than git."""
        ref = tip_ref(branch)
        with suppress(FileNotFoundError, NotADirectoryError):
            loose = (self.path / ref).read_text(encoding="ascii", errors="replace").strip()
            return loose if _COMMIT.fullmatch(loose) else None
        with suppress(FileNotFoundError):
            for line in (self.path / "packed-refs").read_text(encoding="utf-8", errors="replace").splitlines():
                if line.endswith(f" {ref}"):
                    return line.split(" ", 1)[0]
        return None

    def suspect(self) -> None:
        """Say that the folder is damaged: whoever opens it next makes a new one."""
        with suppress(FileNotFoundError):
            (self.path / "suspect").touch()

    def sound(self) -> bool:
        """Whether every commit and tree is there and can be read."""
        return self.git.run("fsck", "--connectivity-only", "--no-dangling", "--no-progress").status == 0

    def tidy(self) -> None:
        """Pack the loose objects of many writes together, as rarely as git itself would."""
        with suppress(FileNotFoundError):
            if len(list((self.path / "objects" / "17").iterdir())) > _LOOSE_SAMPLE:
                self.git.run("gc", "--auto", "--quiet")

    def _usable(self) -> bool:
        return (self.path / "HEAD").is_file() and not (self.path / "suspect").exists()

    def _replace(self) -> None:
        for leftover in self.path.parent.glob(f".{self.path.name}.*.tmp"):
            shutil.rmtree(leftover, ignore_errors=True)
        new = Path(mkdtemp(prefix=f".{self.path.name}.", suffix=".tmp", dir=self.path.parent))
        GitCommand(folder=new).check("init", "--quiet", "--bare", "--template=", str(new))
        with (new / "config").open("a", encoding="utf-8") as config:
            config.write(_CONFIG)
        old = Path(mkdtemp(prefix=f".{self.path.name}.", suffix=".tmp", dir=self.path.parent))
        with suppress(FileNotFoundError):
            self.path.rename(old / "mirror")
        new.rename(self.path)
        shutil.rmtree(old, ignore_errors=True)

    @contextmanager
    def _file_locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path.with_name(f"{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            self._clear_stale_locks()
            yield
        finally:
            os.close(descriptor)

    def _clear_stale_locks(self) -> None:
        for lock in (*self.path.glob("*.lock"), *(self.path / "refs").rglob("*.lock")):
            lock.unlink(missing_ok=True)


def tip_ref(branch: str) -> str:
    """The mirror's ref for a branch of the remote: flat, so that `a` and `a/b` can follow each other."""
    return f"refs/goals/{quote(branch, safe='')}"
