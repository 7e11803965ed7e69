"""What the executor needs of the outside, in its own words."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from aws_lambda_powertools.logging import Logger

from goalrunner_events import Job, QuestionRecord
from goalrunner_executor.exits import Finished
from goalrunner_executor.spend import Spend, Tokens
from goalrunner_shared.clock import Clock
from goalrunner_shared.errors import TransientError


@dataclass(frozen=True)
class Reply:
    """One answer of the model; `content` are its blocks in the form in which the next request repeats them."""

    content: list[dict[str, Any]]
    stop_reason: str
    tokens: Tokens
    request_id: str | None = None


class ModelBusy(TransientError):
    """The model's provider has refused the call for now, and charges nothing for it."""


class Model(Protocol):
    """A model behind the Messages API."""

    def create(self, *, timeout: float, **request: Any) -> Reply:
        """One call, of at most `timeout` seconds a try.

        ModelBusy; any other TransientError leaves its fate, and its cost, unknown; PermanentError.
        """


class Prices(Protocol):
    """What tokens cost."""

    def cost(self, model: str, tokens: Tokens) -> float:
        """US dollars; PermanentError where the model's price is unknown."""


@dataclass(frozen=True)
class Place:
    """The folders of one invocation: `repo` is the checkout and the working folder, `out` lies in it.

    `home` and `scratch` are for the programs that the agent starts. All of it is gone afterwards.
    """

    repo: Path
    out: Path
    home: Path
    scratch: Path


class Workspace(Protocol):
    """Where an agent works."""

    def open(self, commit: str) -> AbstractContextManager[Place]:
        """A fresh checkout of the goals repository at `commit`, with `out` empty; TransientError."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What an engine gets.

    `save(state, spend)` makes the engine's own state, what lies in `out` and the spend outlive the process; it raises
    where this invocation no longer owns the step. `checkpoint` is the state last saved by an earlier invocation.
    `answers` are the questions that this step has asked so far, with what came of them. `taken_over` says that the
    invocation before died: what it did after its last save is unknown. `remaining()` are the seconds until the run
    has to leave with `DeadlineNear`; `note(kind, **fields)` appends to the transcript.
    """

    attempt: str
    goal: str
    job: Job
    place: Place
    spend: Spend
    save: Callable[[bytes, Spend], None]
    note: Callable[..., None]
    remaining: Callable[[], float]
    clock: Clock
    logger: Logger
    checkpoint: bytes | None = None
    answers: tuple[QuestionRecord, ...] = ()
    taken_over: bool = False


class Engine(Protocol):
    """Something that can work on a goal."""

    def run(self, run: Run) -> Finished:
        """Work to the end, or leave with an `Exit`; TransientError, PermanentError."""
