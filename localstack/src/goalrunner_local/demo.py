"""`goalrunner demo`: a goals repository made from the sample, one slot run on it, everything in sight."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from goalrunner_local.functions import RunSettings
from goalrunner_local.prompt import can_ask
from goalrunner_local.state import StateFolder
from goalrunner_local.up import UpOptions, exit_code, model_settings, run_up, show_result
from goalrunner_shared.errors import InputError, TransientError

SAMPLE = Path(__file__).parents[2] / "sample"
SCRIPT = Path(__file__).parents[2] / "sample-model.yaml"
SECONDS_TO_ANSWER = 4


def run_demo(*, keep: Path | None, live: bool, console: Console) -> int:
    """Run it; the exit code. InputError where the folder to keep is taken or the real model has no key."""
    if live and not os.environ.get("ANTHROPIC_API_KEY"):
        raise InputError("the real model needs a key: export ANTHROPIC_API_KEY=… and type goalrunner demo --live again")
    with contextlib.ExitStack() as stack:
        folder = _kept(keep) if keep else Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="goalrunner-")))
        repository = make_repository(folder / "goals.git")
        settings = RunSettings(str(repository), ask_cap=None if can_ask() else SECONDS_TO_ANSWER)
        if live:
            settings = model_settings(settings)
        else:
            console.print("The model of this demo is a scripted one that runs offline: it replays, it does not think.")
            settings = stack.enter_context(_with_scripted_model(settings))
        if settings.ask_cap:
            console.print(f"No terminal to ask at: a question takes its default {SECONDS_TO_ANSWER} seconds later.")
        view = run_up(StateFolder(folder / "state"), settings, UpOptions(await_answers=True), console)
        show_result(view, console)
        if keep:
            console.print(f"kept: {folder / 'goals.git'} (git log shows each attempt) and {folder / 'state'}")
        return exit_code(view)


def _kept(folder: Path) -> Path:
    folder = folder.absolute()
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty: name a new folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def make_repository(bare: Path) -> Path:
    """A bare repository with the sample as its first commit."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch) / "tree"
        shutil.copytree(SAMPLE, tree, ignore=shutil.ignore_patterns("__pycache__"))
        _git("init", "--quiet", "--initial-branch=main", str(tree))
        _git("-C", str(tree), "add", "--all")
        _git("-C", str(tree), "commit", "--quiet", "--message=The sample goals")
        _git("clone", "--quiet", "--bare", str(tree), str(bare))
        _git("-C", str(bare), "remote", "remove", "origin")
    return bare


def _git(*arguments: str) -> None:
    # The user's own settings must not matter here: signing, hooks, templates.
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for who in ("AUTHOR", "COMMITTER"):
        own |= {f"GIT_{who}_NAME": "You", f"GIT_{who}_EMAIL": "you@localhost"}
    subprocess.run(["git", *arguments], check=True, env=own, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def _with_scripted_model(settings: RunSettings) -> Iterator[RunSettings]:
    with scripted_model(SCRIPT) as url:
        reach = {"ANTHROPIC_API_KEY": "sk-ant-test-offline", "ANTHROPIC_BASE_URL": url}
        yield replace(settings, engines=("command", "claude-api"), model_environment=reach)


@contextlib.contextmanager
def scripted_model(script: Path) -> Iterator[str]:
    """Run the scripted model server as a child process; its address."""
    command = [sys.executable, "-m", "goalrunner_local.model_server", "--script", str(script), "--lifeline"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        if not said.startswith("listening on "):
            raise TransientError(f"the scripted model did not start: {said.strip() or 'it said nothing'}")
        try:
            yield said.removeprefix("listening on ").strip()
        finally:
            process.terminate()
