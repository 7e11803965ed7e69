"""Asking a person at the terminal."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from goalrunner_events import QuestionState
from goalrunner_local.answers import kept_answers
from goalrunner_local.prompt import ask_at_terminal
from goalrunner_local.state import StateFolder
from goalrunner_local.view import GoalLine, QuestionLine


class Terminal:
    """Standard input as a pipe: what is typed, and when it ends."""

    def __init__(self, folder: Path) -> None:
        self._reading, self._writing = os.pipe()
        self.input = os.fdopen(self._reading)
        self.screen = io.StringIO()
        self.state = StateFolder(folder)

    def type(self, text: str) -> None:
        os.write(self._writing, text.encode())

    def hang_up(self) -> None:
        os.close(self._writing)
        self._writing = -1

    def close(self) -> None:
        self.input.close()
        if self._writing != -1:
            self.hang_up()

    def ask(self, *, default: str | None = None, meanwhile: Callable[[QuestionLine], None] | None = None) -> list[str]:
        """The answers that were kept."""
        question = QuestionLine("abcdefghij", "Which one?", ("left", "right"), default)
        line = GoalLine("roof", "The roof", questions=[question])
        ask_at_terminal(
            line,
            question,
            console=Console(file=self.screen),
            state=self.state,
            meanwhile=lambda: (meanwhile or _nothing)(question),
        )
        return [message["text"] for _, message in kept_answers(self.state.answers)]


def _nothing(question: QuestionLine) -> None:
    """Nothing happens while the person thinks."""


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    monkeypatch.setattr(sys, "stdin", terminal.input)
    yield terminal
    terminal.close()


def test_what_is_typed_is_kept(terminal: Terminal) -> None:
    terminal.type("  the left one \n")
    assert terminal.ask() == ["the left one"]


def test_the_question_is_shown_with_its_options(terminal: Terminal) -> None:
    terminal.type("1\n")
    terminal.ask(default="right")
    for words in ("The roof asks (abcdefghij)", "Which one?", "1  left", "2  right", "default: right"):
        assert words in terminal.screen.getvalue()


def test_enter_alone_takes_the_default(terminal: Terminal) -> None:
    terminal.type("\n")
    assert terminal.ask(default="right") == ["right"]


def test_enter_alone_asks_again_where_there_is_no_default(terminal: Terminal) -> None:
    terminal.type("\n")
    assert terminal.ask(meanwhile=lambda _: terminal.type("left\n")) == ["left"]
    assert terminal.screen.getvalue().count("answer>") == 2


@pytest.mark.parametrize("default", [None, "right"])
def test_the_end_of_input_is_no_answer(terminal: Terminal, default: str | None) -> None:
    terminal.hang_up()
    assert terminal.ask(default=default) == []


def test_an_answer_from_elsewhere_ends_the_asking(terminal: Terminal) -> None:
    def answer(question: QuestionLine) -> None:
        question.state = QuestionState.ANSWERED

    assert terminal.ask(meanwhile=answer) == []
    assert "answered elsewhere" in terminal.screen.getvalue()
