"""git as a child process through GitPython, shielded from the environment and the configuration round it."""

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from goalrunner_shared.git.errors import GitFailed, one_line

if TYPE_CHECKING:
    import git

# Everything else that begins with GIT_ (GIT_DIR of a hook, GIT_INDEX_FILE, GIT_ALLOW_PROTOCOL ...) stays outside.
_INHERITED = (
    *("GIT_ASKPASS", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM", "GIT_CURL_"),
    *("GIT_EXEC_PATH", "GIT_HTTP_", "GIT_PROXY_", "GIT_PYTHON_", "GIT_SSH", "GIT_SSL_", "GIT_TRACE"),
)
_ALWAYS = {"GIT_TERMINAL_PROMPT": "0", "GIT_LITERAL_PATHSPECS": "1", "GIT_NO_REPLACE_OBJECTS": "1"}
_SAFE = ("core.hooksPath=/dev/null", "protocol.ext.allow=never", "core.fsmonitor=false")


@dataclass(frozen=True)
class Outcome:
    """How one run of git ended: exit status, stdout as it came, stderr as text."""

    status: int
    out: bytes
    err: str

    def text(self) -> str:
        """stdout as text without the white space round it."""
        return self.out.decode("utf-8", "surrogateescape").strip()


@dataclass(frozen=True)
class GitCommand:
    """git at one repository: `options` go before the subcommand, `config` is `key=value`, `env` on top of ours.

    Each run is a session of its own: a Ctrl-C at the terminal ends Goalrunner, but no push half way.
    """

    folder: Path
    options: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    def run(self, *args: str, timeout: float | None = None) -> Outcome:
        """Run git to its end, for `timeout` seconds at most; the caller judges the status."""
        status, out, err = self._git().execute(
            self._argv(args),
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
            kill_after_timeout=timeout,
            env=self._environment(),
            start_new_session=True,
        )
        if int(status) < 0:
            err = f"git {args[0]} was stopped: it gave no answer within {timeout or 0:g} seconds, or was killed"
        return Outcome(status=int(status), out=out, err=str(err))

    def check(self, *args: str) -> Outcome:
        """Run git and raise GitFailed unless it exits 0."""
        outcome = self.run(*args)
        if outcome.status:
            raise GitFailed(f"git {args[0]} failed: {one_line(outcome.err) or outcome.status}")
        return outcome

    @contextmanager
    def started(self, *args: str, stdin: BinaryIO | None = None) -> "Iterator[subprocess.Popen[bytes]]":
        """git with its pipes in the caller's hands (its stdin too, unless one is given); GitFailed at the end."""
        running = self._git().execute(
            self._argv(args),
            istream=stdin or subprocess.PIPE,
            as_process=True,
            env=self._environment(),
            start_new_session=True,
        )
        process = cast("subprocess.Popen[bytes]", running.proc)
        try:
            try:
                yield process
            except BrokenPipeError:
                raise self._failure(args[0], process) from None
            if _ended(process):
                raise self._failure(args[0], process)
        finally:
            _discard(process)

    def _failure(self, subcommand: str, process: "subprocess.Popen[bytes]") -> GitFailed:
        assert process.stderr is not None
        words = process.stderr.read().decode("utf-8", "replace")
        return GitFailed(f"git {subcommand} failed: {one_line(words) or process.wait()}")

    def _git(self) -> "git.Git":
        import git

        return git.Git(self.folder)

    def _argv(self, args: tuple[str, ...]) -> list[str]:
        config = (word for setting in (*_SAFE, *self.config) for word in ("-c", setting))
        return [*_without(_leaking()), "git", *self.options, *config, *args]

    def _environment(self) -> dict[str, str]:
        return {**_ALWAYS, **self.env}


def _leaking() -> list[str]:
    return [name for name in os.environ if name.startswith("GIT_") and not name.startswith(_INHERITED)]


def _without(names: list[str]) -> list[str]:
    """GitPython can add to the environment but not take away; env(1) can, and costs nothing when unused."""
    return ["env", *(f"--unset={name}" for name in names)] if names else []


def _ended(process: "subprocess.Popen[bytes]") -> int:
    if process.stdin is not None:
        process.stdin.close()
    return process.wait()


def _discard(process: "subprocess.Popen[bytes]") -> None:
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
