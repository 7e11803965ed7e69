"""Asking at the terminal while the rest of the system goes on."""

import select
import sys
from collections.abc import Callable

from rich.console import Console

from goalrunner_local.answers import keep_answer
from goalrunner_local.display import question_panel
from goalrunner_local.state import StateFolder
from goalrunner_local.view import GoalLine, QuestionLine


def can_ask() -> bool:
    """Whether a person sits at the terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def ask_at_terminal(
    line: GoalLine, question: QuestionLine, *, console: Console, state: StateFolder, meanwhile: Callable[[], None]
) -> None:
    """Show a question and keep the answer; ends without one when it is answered elsewhere, or input ends."""
    console.print(question_panel(line, question))
    console.print("[yellow]answer>[/] ", end="")
    while line.asks is question:
        typed = _typed_line()
        if typed is None:
            meanwhile()
            continue
        if not typed:
            return
        if answer := typed.strip() or question.default:
            keep_answer(state.answers, question=question.id, text=answer)
            return
        console.print("[yellow]answer>[/] ", end="")
    console.print("\nanswered elsewhere")


def _typed_line(within: float = 0.1) -> str | None:
    ready, _, _ = select.select([sys.stdin], [], [], within)
    return sys.stdin.readline() if ready else None
