"""What a person sees: one line a goal while it runs, a table at the end."""

import os
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from goalrunner_events import QuestionState
from goalrunner_local.view import GoalLine, QuestionLine, RunView

COLOURS = {
    "done": "green",
    "progressed": "cyan",
    "failed": "red",
    "waiting": "yellow",
    "skipped": "bright_black",
    "rejected": "magenta",
}


# A pipe has no width: wide enough for the table to stand on one line a goal.
PIPE_WIDTH = 140


def console(*, stderr: bool = False) -> Console:
    """Where a person reads, or what a pipe keeps."""
    found = Console(stderr=stderr)
    if not found.is_terminal and "COLUMNS" not in os.environ:
        found.width = PIPE_WIDTH
    return found


def state_of(line: GoalLine) -> str:
    """One word: how the goal stands at this moment."""
    return line.outcome or ("waiting" if line.asks else "running")


class Progress:
    """The live lines of a run; on a plain pipe one printed line a change instead."""

    def __init__(self, view: RunView, console: Console) -> None:
        self._view = view
        self._console = console
        self._live: Live | None = None

    def __enter__(self) -> "Progress":
        if self._console.is_terminal:
            self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=8)
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def changed(self, line: GoalLine) -> None:
        """An event has changed this line."""
        if self._live is None and line.trail:
            self._console.print(f"{line.id}: {state_of(line)} ({' › '.join(line.trail)})", highlight=False)

    def _render(self) -> RenderableType:
        lines = Table.grid(padding=(0, 1))
        for name in sorted(self._view.goals):
            lines.add_row(*_live_row(self._view.goals[name]))
        if not self._view.goals:
            return Spinner("dots", text="looking for goals that are due")
        return lines


def _live_row(line: GoalLine) -> tuple[RenderableType, ...]:
    state = state_of(line)
    mark = Spinner("dots") if state == "running" else Text("●", style=COLOURS.get(state, "white"))
    trail = Text(" › ".join(line.trail) or (line.reason or ""), style="bright_black")
    return mark, Text(line.id, style="bold"), Text(state, style=COLOURS.get(state, "white")), trail


def result_table(view: RunView, *, title: str | None = None) -> RenderableType:
    """Goal, outcome, attempt, commit, cost, and why each goal that did not run did not."""
    table = Table(title=_title(view) if title is None else title or None, title_justify="left", expand=False)
    table.add_column("goal", overflow="fold")
    table.add_column("outcome", no_wrap=True)
    table.add_column("attempt", overflow="fold", max_width=24)
    table.add_column("commit", no_wrap=True)
    table.add_column("cost", no_wrap=True, justify="right")
    table.add_column("why, and what was asked", overflow="fold", min_width=22)
    for name in sorted(view.goals):
        table.add_row(*_result_row(view.goals[name]))
    return table


def _title(view: RunView) -> str:
    return f"slot {view.scan.slot:%Y-%m-%d %H:%M} UTC" if view.scan else "no scan was completed"


def _result_row(line: GoalLine) -> tuple[RenderableType, ...]:
    state = state_of(line)
    # The goal stands in the first column; of the attempt's name the part after it says the rest.
    attempt = (line.attempt or "").removeprefix(f"{line.id}.")
    return (
        Text(line.id, style="bold"),
        Text(state, style=COLOURS.get(state, "white")),
        attempt or "-",
        (line.commit or "-")[:10],
        f"${line.cost_usd:.4f}" if line.attempt else "-",
        "\n".join(_notes(line)),
    )


def _notes(line: GoalLine) -> Iterable[str]:
    if line.reason:
        yield line.reason
    for question in line.questions:
        yield f"asked ({question.id}): {question.text} {_how_it_ended(question)}"


def _how_it_ended(question: QuestionLine) -> str:
    if question.state is QuestionState.ANSWERED:
        return f"→ {question.answer}"
    if question.state is QuestionState.EXPIRED:
        return f"→ nobody answered, default taken: {question.answer}" if question.answer else "→ nobody answered"
    return f'→ open; type: goalrunner answer {question.id} "…"'


def question_panel(line: GoalLine, question: QuestionLine) -> RenderableType:
    """The question as it is put to a person at the terminal."""
    parts: list[RenderableType] = [Text(question.text, style="bold")]
    if question.why:
        parts.append(Text(question.why, style="bright_black"))
    parts += [Text(f"  {n}  {option}") for n, option in enumerate(question.options, start=1)]
    if question.default:
        parts.append(Text(f"Enter alone takes the default: {question.default}", style="bright_black"))
    return Panel(Group(*parts), title=f"{line.title or line.id} asks ({question.id})", border_style="yellow")
