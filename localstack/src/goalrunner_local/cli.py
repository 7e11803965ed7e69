"""The `goalrunner` command."""

import json
import sys
import uuid
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from goalrunner_local.choose import Choice, choose
from goalrunner_local.display import console
from goalrunner_local.functions import RunSettings
from goalrunner_shared.aws import trouble_is_transient
from goalrunner_shared.clock import floor_to_slot, parse_instant
from goalrunner_shared.errors import GoalrunnerError, InputError

app = typer.Typer(
    help="Keeps working on your goals while you are away.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

Repo = Annotated[
    str | None, typer.Option("--repo", envvar="GOALRUNNER_REPO", help="The goals repository: a folder or a URL.")
]
State = Annotated[
    Path | None, typer.Option("--state", envvar="GOALRUNNER_STATE", help="Where this machine remembers a run.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else, on standard output.")]


def _slot(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no instant with a zone: write it like 2026-01-01T10:00Z") from error


@app.command()
def demo(
    keep: Annotated[Path | None, typer.Option(help="Leave goals.git and state in this new folder.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Use the real model, and pay for it.")] = False,
) -> None:
    """Make a goals repository from the sample and run one slot on it."""
    from goalrunner_local.demo import run_demo

    raise typer.Exit(run_demo(keep=keep, live=live, console=console()))


@app.command()
def up(
    repo: Repo = None,
    state: State = None,
    once: Annotated[bool, typer.Option("--once", help="Run one slot until all is reported or waiting.")] = False,
    slot: Annotated[
        datetime | None, typer.Option(parser=_slot, metavar="INSTANT", help="With --once: fix slot and clock.")
    ] = None,
    as_json: Json = False,
    on_lambda: Annotated[
        bool, typer.Option("--lambda", help="Run the zip builds in the emulator's Lambda, not local workers.")
    ] = False,
) -> None:
    """Run the whole system: every two hours, until Ctrl-C, or one slot."""
    from goalrunner_local.up import UpOptions

    if (slot or as_json) and not once:
        raise InputError("--slot and --json need --once: type goalrunner up --once …")
    choice = choose(repo, state, for_writing=True)
    settings = RunSettings(choice.repository, clock=slot.isoformat() if slot else None, on_lambda=on_lambda)
    options = UpOptions(once=once, slot=floor_to_slot(slot) if slot else None, quiet=as_json)
    _run(choice, settings, options, as_json=as_json)


@app.command()
def run(goal: str, repo: Repo = None, state: State = None, as_json: Json = False) -> None:
    """Run one goal now, whatever its schedule says."""
    from goalrunner_local.up import UpOptions

    choice = choose(repo, state, for_writing=True)
    choice.require_goal(goal)
    request = uuid.uuid4().hex
    if choice.state.running():
        _hand_to_running_up(choice, goal, request)
        return
    options = UpOptions(goal=goal, request_id=request, quiet=as_json)
    _run(choice, RunSettings(choice.repository), options, as_json=as_json)


def _hand_to_running_up(choice: Choice, goal: str, request: str) -> None:
    from goalrunner_local.system import attached_system
    from goalrunner_shared.clock import system_clock

    with attached_system(choice.state, RunSettings(choice.repository)) as system:
        system.request_scan(slot=floor_to_slot(system_clock()), goal=goal, request_id=request)
    typer.echo(f"{goal} is handed to the goalrunner that is running", err=True)


def _run(choice: Choice, settings: RunSettings, options: Any, *, as_json: bool) -> None:
    from goalrunner_local.up import exit_code, model_settings, run_up, show_result

    screen = console(stderr=as_json)
    view = run_up(choice.state, model_settings(settings), options, screen)
    if as_json:
        typer.echo(json.dumps(view.as_json()))
    else:
        show_result(view, screen)
    # An unlimited run that somebody ended is no failure, whatever happened in it.
    raise typer.Exit(exit_code(view) if options.once else 0)


@app.command()
def status(repo: Repo = None, state: State = None, as_json: Json = False) -> None:
    """Say how each goal stands, and which questions are open."""
    from goalrunner_local.status import read_status, status_table

    view = read_status(choose(repo, state))
    if as_json:
        typer.echo(json.dumps(view.as_json()))
    else:
        console().print(status_table(view))


@app.command()
def answer(question: str, text: str, repo: Repo = None, state: State = None) -> None:
    """Answer an open question; without a running `up` the answer is kept for the next one."""
    from goalrunner_local.status import give_answer

    typer.echo(give_answer(choose(repo, state), question=question, text=text))


@app.command()
def lint(path: Path) -> None:
    """Check goal files: a file, a folder, or a whole goals repository."""
    from goalrunner_local.lint import lint_path

    problems, checked = lint_path(path)
    for problem in problems:
        typer.echo(problem, err=True)
    if problems:
        raise typer.Exit(2)
    typer.echo(f"{checked} goal {'file is' if checked == 1 else 'files are'} valid")


@app.command()
def events(
    attempt: Annotated[str | None, typer.Option(help="Only this attempt's.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as more come, until Ctrl-C.")] = False,
    repo: Repo = None,
    state: State = None,
    as_json: Annotated[bool, typer.Option("--json", help="One event as JSON a line.")] = False,
) -> None:
    """Read the journal: every event, in order."""
    from goalrunner_local.journal import show_events

    show_events(choose(repo, state), attempt=attempt, follow=follow, as_json=as_json)


@app.command()
def doctor(repo: Repo = None, state: State = None) -> None:
    """Say what is missing on this machine, and what to type."""
    from goalrunner_local.doctor import examine

    findings = examine(repo, state)
    for finding in findings:
        typer.echo(f"{'ok     ' if finding.ok else 'missing'}  {finding.text}")
    raise typer.Exit(0 if all(finding.ok or finding.optional for finding in findings) else 2)


def main() -> None:
    """Run the command; an error is one sentence on standard error."""
    try:
        with trouble_is_transient():
            app()
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except GoalrunnerError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
