"""The tool `shell`: a command line in the checkout."""

from collections.abc import Callable
from functools import partial

from pydantic import Field

from goalrunner_executor.ports import Run
from goalrunner_executor.tools.process import CannotStart, Surroundings, run_program
from goalrunner_executor.tools.tool import Arguments, Tool, ToolFailed

LONGEST = 600


class ShellArguments(Arguments):
    """A command and its time limit."""

    command: str = Field(min_length=1, description="A command line for sh, run in the working folder.")
    timeout: int = Field(default=120, ge=1, le=LONGEST, description="Seconds after which it is killed.")


def shell_tools(run: Run, surroundings: Surroundings) -> tuple[Tool, ...]:
    """What the goal's `tools: [shell]` gives."""
    return (
        Tool(
            name="shell",
            description=(
                "Run a command line with sh in the working folder and get its output and exit code. "
                "It has no terminal, no input and no credentials; nothing that it starts outlives it."
            ),
            arguments=ShellArguments,
            act=partial(_run, run=run, surroundings=surroundings),
            repeatable=False,
        ),
    )


def _run(arguments: ShellArguments, *, run: Run, surroundings: Surroundings) -> str:
    seconds = _seconds(arguments.timeout, run.remaining)
    try:
        ended = run_program(
            ["sh", "-c", arguments.command],
            cwd=run.place.repo,
            environment=surroundings.environment(run),
            timeout=seconds,
        )
    except CannotStart as error:
        raise ToolFailed(str(error)) from error
    verdict = f"killed after {seconds:.0f} s" if ended.timed_out else ended.verdict
    return f"{ended.output.rstrip()}\n[{verdict}]".lstrip("\n")


def _seconds(wanted: int, remaining: Callable[[], float]) -> float:
    return max(1.0, min(float(wanted), remaining()))
