"""Running the system in the foreground: one slot, or for as long as nobody says stop."""

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from rich.console import Console

from goalrunner_local.display import Progress, result_table
from goalrunner_local.follow import Run
from goalrunner_local.functions import RunSettings
from goalrunner_local.prompt import ask_at_terminal, can_ask
from goalrunner_local.state import StateFolder
from goalrunner_local.system import running_system
from goalrunner_local.view import GoalLine, RunView
from goalrunner_shared.clock import floor_to_slot, system_clock
from goalrunner_shared.git.errors import without_credentials


@dataclass(frozen=True)
class UpOptions:
    """What is to be run: one goal or all that are due, once or on and on, with which slot."""

    once: bool = True
    slot: datetime | None = None
    goal: str | None = None
    request_id: str | None = None
    quiet: bool = False
    await_answers: bool = False


def model_settings(settings: RunSettings) -> RunSettings:
    """The settings with the model that the user's environment names; without a key no goal needs one."""
    key = os.environ.get("ANTHROPIC_API_KEY", "")
    if not key:
        return settings
    names = ("ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL", "GOALRUNNER_MODEL")
    found = {name: os.environ[name] for name in names if os.environ.get(name)}
    return replace(settings, engines=("command", "claude-api"), model_environment=found)


def run_up(state: StateFolder, settings: RunSettings, options: UpOptions, console: Console) -> RunView:
    """Run, show and return what happened; Ctrl-C ends an unlimited run cleanly."""
    slot = options.slot or floor_to_slot(system_clock())
    view = RunView()
    # Whoever stops us from outside means what Ctrl-C means: end cleanly, lose nothing. A shell starts what runs in its
    # background with SIGINT ignored; it is heeded there too.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        if not options.once:
            stack.enter_context(contextlib.suppress(KeyboardInterrupt))
        console.print(
            f"starting on {without_credentials(settings.repository)} (state: {state.root})", style="bright_black"
        )
        system = stack.enter_context(running_system(state, settings, scheduled=not options.once))
        run = Run(system, view, await_answers=options.await_answers)
        run.start(slot=slot, goal=options.goal, request_id=options.request_id)
        _follow(run, options, console)
    return view


def _follow(run: Run, options: UpOptions, console: Console) -> None:
    if options.quiet:
        run.until_done()
        return
    asked: set[str] = set()
    while not _through_once(run, options, console, asked):
        pass


def _through_once(run: Run, options: UpOptions, console: Console, asked: set[str]) -> bool:
    """Show progress until the run is through or somebody must be asked; whether it is through."""
    with Progress(run.view, console) as progress:
        run.changed = progress.changed
        while not (options.once and run.is_done()):
            run.step()
            if can_ask() and (waiting := next(_unasked(run.view, asked), None)):
                break
        else:
            return True
    question = waiting.asks
    assert question is not None
    asked.add(question.id)
    ask_at_terminal(waiting, question, console=console, state=run.system.state, meanwhile=lambda: run.step(wait=0))
    return False


def _unasked(view: RunView, asked: set[str]) -> Iterator[GoalLine]:
    return (line for line in list(view.goals.values()) if line.asks and line.asks.id not in asked)


def show_result(view: RunView, console: Console) -> None:
    """The table at the end of a run."""
    console.print(result_table(view))


def exit_code(view: RunView) -> int:
    """1 where an attempt failed, 0 otherwise."""
    return int(view.failed)
