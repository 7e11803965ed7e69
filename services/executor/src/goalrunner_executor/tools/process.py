"""Start a program of the agent's: scrubbed environment, bounded time and output, nothing left running."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from goalrunner_executor.ports import Run

OUTPUT_BYTES = 64 * 1024
GRACE = 2.0
# Reads until it is told that the program has ended, or until nobody is left who could tell it.
GUARD = """
import os, signal, sys
if not os.read(0, 1):
    try:
        os.killpg(int(sys.argv[1]), signal.SIGKILL)
    except ProcessLookupError:
        pass
"""
_TICK = 0.05
_CHUNK = 64 * 1024


class CannotStart(Exception):
    """The program does not exist or may not be run; the text says which."""


@dataclass(frozen=True)
class Surroundings:
    """All that the agent's programs see of this process's own environment."""

    path: str = "/usr/local/bin:/usr/bin:/bin"
    lang: str = "C.UTF-8"

    def environment(self, run: Run) -> dict[str, str]:
        """The whole environment of a program that is started for `run`."""
        return {
            "PATH": self.path,
            "LANG": self.lang,
            "HOME": str(run.place.home),
            "TMPDIR": str(run.place.scratch),
            "GOALRUNNER_OUT": str(run.place.out),
            "GOALRUNNER_GOAL": run.goal,
            "GOALRUNNER_ATTEMPT": run.attempt,
        }


@dataclass(frozen=True)
class Ended:
    """How a program ended: `code` is negative for a signal; `output` is stdout and stderr as they came."""

    code: int
    timed_out: bool
    output: str

    @property
    def verdict(self) -> str:
        """`exit 3`, or `killed by SIGKILL`."""
        if self.code >= 0:
            return f"exit {self.code}"
        try:
            return f"killed by {signal.Signals(-self.code).name}"
        except ValueError:
            return f"killed by signal {-self.code}"


class Capture:
    """The head and the tail of a stream; what lies between is counted and dropped."""

    def __init__(self, limit: int = OUTPUT_BYTES) -> None:
        self._half = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0

    def add(self, chunk: bytes) -> None:
        room = self._half - len(self._head)
        self._head += chunk[:room]
        self._tail += chunk[room:] if room < len(chunk) else b""
        excess = len(self._tail) - self._half
        if excess > 0:
            del self._tail[:excess]
            self._dropped += excess

    def text(self) -> str:
        gap = f"\n[… {self._dropped} bytes left out …]\n".encode() if self._dropped else b""
        return bytes(self._head + gap + self._tail).decode("utf-8", "replace")


def run_program(argv: Sequence[str], *, cwd: Path, environment: Mapping[str, str], timeout: float) -> Ended:
    """Run a program to its end or for `timeout` seconds; its whole process group is gone afterwards; CannotStart."""
    capture = Capture()
    until = time.monotonic() + timeout
    with _start(argv, cwd, environment) as process, _guarded(process.pid):
        assert process.stdout is not None
        try:
            with _readable(process.stdout) as stream:
                timed_out = not _read_until_exit(stream, process, capture, until)
                _signal_group(process, signal.SIGTERM)
                _read_to_end(stream, capture, time.monotonic() + GRACE, process)
        finally:
            _signal_group(process, signal.SIGKILL)
            process.wait()
    return Ended(code=process.returncode, timed_out=timed_out, output=capture.text())


@contextmanager
def _guarded(group: int) -> Iterator[None]:
    """Whatever becomes of this process, the program's group does not outlive it: it would run beside its repetition."""
    guard = [sys.executable, "-I", "-S", "-c", GUARD, str(group)]
    with subprocess.Popen(guard, stdin=subprocess.PIPE, env={}, start_new_session=True) as process:
        yield
        process.communicate(b"ended")


def _start(argv: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            argv,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        raise CannotStart(f"the program {argv[0]!r} was not found") from error
    except (OSError, ValueError) as error:
        raise CannotStart(f"the program {argv[0]!r} cannot be started: {error}") from error


def _readable(stream: IO[bytes]) -> selectors.BaseSelector:
    os.set_blocking(stream.fileno(), False)
    selector = selectors.DefaultSelector()
    selector.register(stream, selectors.EVENT_READ)
    return selector


def _read_until_exit(
    stream: selectors.BaseSelector, process: subprocess.Popen[bytes], capture: Capture, until: float
) -> bool:
    """Whether the program itself ended in time; its children may go on."""
    while time.monotonic() < until:
        if process.poll() is not None:
            return True
        if not stream.get_map():
            # It has closed its output: nothing to read, only its end to wait for.
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                return False
        else:
            _read_some(stream, capture)
    return process.poll() is not None


def _read_to_end(
    stream: selectors.BaseSelector, capture: Capture, until: float, process: subprocess.Popen[bytes]
) -> None:
    """What was still in the pipe, while the group has its grace to end."""
    while time.monotonic() < until and (stream.get_map() or process.poll() is None):
        if stream.get_map():
            _read_some(stream, capture)
        else:
            time.sleep(_TICK)


def _read_some(selector: selectors.BaseSelector, capture: Capture) -> None:
    for key, _ in selector.select(_TICK):
        chunk = os.read(key.fd, _CHUNK)
        if chunk:
            capture.add(chunk)
        else:
            selector.unregister(key.fileobj)


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """To everybody whom the program has left in its group, also when it has ended itself."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return
