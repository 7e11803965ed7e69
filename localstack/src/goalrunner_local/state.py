"""The state folder of one goals repository: what a local Goalrunner remembers between two starts."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from goalrunner_shared.errors import InputError

PATIENCE = 20.0


class StateInUse(InputError):
    """Another `goalrunner up` holds the state folder."""


@dataclass(frozen=True)
class RunningUp:
    """The `up` that holds the folder: its process id and the endpoint of its cloud."""

    pid: int
    endpoint: str


@dataclass(frozen=True)
class StateFolder:
    """Paths below the state folder.

    `emulator/` is what the emulator held at its last clean stop, `git/` the mirrors, `work/` scratch space of agents,
    `logs/` a file for each function, `answers/` answers that no `up` has taken yet, `terminal.jsonl` what was sent to
    the terminal. `patience` are the seconds to wait for a short command that holds the folder.
    """

    root: Path
    patience: float = PATIENCE

    @property
    def emulator(self) -> Path:
        return self.root / "emulator"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def mirrors(self) -> Path:
        return self.root / "git"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def answers(self) -> Path:
        return self.root / "answers"

    @property
    def terminal(self) -> Path:
        return self.root / "terminal.jsonl"

    @property
    def _lock(self) -> Path:
        return self.root / "lock"

    @property
    def _holder(self) -> Path:
        return self.root / "up.json"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder as the only one; StateInUse where an `up` has it, or anybody for over `patience` seconds."""
        try:
            for folder in (self.root, self.logs, self.mirrors, self.work, self.answers):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(
                f"{self.root} cannot be used as state folder ({error.strerror}): name another with --state"
            ) from error
        with self._lock.open("w") as lock:
            if not self._locked(lock):
                raise StateInUse(self._in_use())
            self._forget_after_a_crash()
            try:
                yield
            finally:
                self._holder.unlink(missing_ok=True)

    def _locked(self, lock: IO[str]) -> bool:
        until = time.monotonic() + self.patience
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                # A short command ends soon; an `up` announces itself and stays.
                if self._holder.exists() or time.monotonic() >= until:
                    return False
                time.sleep(0.05)

    def announce(self, endpoint: str) -> None:
        """Say where the cloud of this process is, for the other commands."""
        text = json.dumps({"pid": os.getpid(), "endpoint": endpoint})
        unfinished = self._holder.with_suffix(".new")
        unfinished.write_text(text)
        unfinished.replace(self._holder)

    def running(self) -> RunningUp | None:
        """The `up` that holds the folder now; None where there is none."""
        try:
            with self._lock.open() as lock:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None
        except FileNotFoundError:
            return None
        except BlockingIOError:
            return self._announced()

    def _announced(self) -> RunningUp | None:
        try:
            found = json.loads(self._holder.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return RunningUp(pid=found["pid"], endpoint=found["endpoint"])

    def _forget_after_a_crash(self) -> None:
        # A holder that did not take its announcement back was killed. The emulator then wrote nothing, and what it
        # wrote at an earlier stop is older than the repository: everything is rebuilt from git. Objects are on disk
        # the moment they are put, so the journal stays.
        if self._holder.exists():
            shutil.rmtree(self.emulator / "services", ignore_errors=True)
            shutil.rmtree(self.work, ignore_errors=True)
            self.work.mkdir()
            # Nor may the other commands look for the cloud of the one that was killed.
            self._holder.unlink()

    def _in_use(self) -> str:
        up = self._announced()
        who = f"process {up.pid}" if up else "another process"
        return f"{self.root} is in use by {who}: stop that goalrunner first, or name another folder with --state"


def default_state(repository: str) -> StateFolder:
    """The folder of a repository in the user's state folder; the same for the same address."""
    from platformdirs import user_state_path

    stem = re.sub(r"[^a-z0-9]+", "-", repository.lower().rstrip("/").rpartition("/")[2]).strip("-") or "goals"
    digest = hashlib.sha256(repository.encode()).hexdigest()[:8]
    return StateFolder(user_state_path("goalrunner") / f"{stem}-{digest}")
