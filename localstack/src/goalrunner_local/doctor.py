"""What this machine has and lacks for Goalrunner."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from goalrunner_local.choose import choose
from goalrunner_local.cloud import named_cloud
from goalrunner_local.emulator import emulator_python
from goalrunner_shared.errors import GoalrunnerError
from goalrunner_shared.git.errors import without_credentials

OLDEST_GIT = (2, 30)


@dataclass(frozen=True)
class Finding:
    """One thing looked at; what is `optional` does not make the doctor unhappy."""

    ok: bool
    text: str
    optional: bool = False


def examine(repo: str | None, state: Path | None) -> list[Finding]:
    """Everything that a run needs, each with what to type where it is missing."""
    return list(_examine(repo, state))


def _examine(repo: str | None, state: Path | None) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(sys.version_info >= (3, 11), f"Python {version} (3.11 or newer is needed)")
    yield _git()
    yield _emulator()
    yield _model()
    yield Finding(shutil.which("terraform") is not None, "terraform: only for make test-all and for AWS", optional=True)
    if shutil.which("git"):
        yield _repository(repo, state)


def _git() -> Finding:
    program = shutil.which("git")
    if program is None:
        return Finding(False, "git is not on the PATH: install it, apt install git for instance")
    words = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()
    version = tuple(int(part) for part in words[2].split(".")[:2])
    return Finding(version >= OLDEST_GIT, f"git {words[2]} ({'.'.join(map(str, OLDEST_GIT))} or newer is needed)")


def _emulator() -> Finding:
    if (cloud := named_cloud()) is not None:
        return Finding(True, f"AWS endpoint {cloud.endpoint} (from AWS_ENDPOINT_URL)")
    try:
        return Finding(True, f"embedded AWS emulator at {emulator_python().parent.parent}")
    except GoalrunnerError as error:
        return Finding(False, str(error))


def _model() -> Finding:
    if os.environ.get("ANTHROPIC_API_KEY"):
        return Finding(True, f"a model key; API at {os.environ.get('ANTHROPIC_BASE_URL', 'its default address')}")
    text = "no model key, so goals of the engine claude-api are skipped: export ANTHROPIC_API_KEY=…"
    return Finding(False, text, optional=True)


def _repository(repo: str | None, state: Path | None) -> Finding:
    try:
        choice = choose(repo, state, for_writing=True)
    except GoalrunnerError as error:
        return Finding(False, str(error))
    up = choice.state.running()
    holder = f", in use by process {up.pid}" if up else ""
    return Finding(
        True, f"goals repository {without_credentials(choice.repository)}; state in {choice.state.root}{holder}"
    )
