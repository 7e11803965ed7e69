"""What the executor needs of the outside, in its own words."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from aws_lambda_powertools.logging import Logger

from goalrunner_events import Job, QuestionRecord
from goalrunner_executor.exits import Finished
from goalrunner_shared.clock import Clock
from goalrunner_shared.errors import TransientError

if TYPE_CHECKING:
    from goalrunner_executor.spend import Spend


@dataclass(frozen=True)
class Tokens:
    """What a call used; `input` is what was neither read from nor written to the provider's cache."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def all_input(self) -> int:
        return self.input + self.cache_read + self.cache_write


@dataclass(frozen=True)
class Reply:
    """One answer of the model; `content` are its blocks as they go back into the next request."""

    content: list[dict[str, Any]]
    stop_reason: str
    tokens: Tokens = Tokens()
    request_id: str | None = None


class ModelBusy(TransientError):
    """The model's provider has refused the call for now, and charges nothing for it."""


class Model(Protocol):
    """A model behind the Messages API."""

    def create(self, *, timeout: float, **request: Any) -> Reply:
        """One call, bounded to `timeout` seconds a try; ModelBusy, TransientError (its fate is unknown), PermanentError."""


class Prices(Protocol):
    """What tokens cost."""

    def cost(self, model: str, tokens: Tokens) -> float:
        """US dollars; PermanentError where the model's price is unknown."""


@dataclass(frozen=True)
class Place:
    """The folders of one invocation: `repo` is the checkout and the working folder, `out` lies in it.

    `home` and `scratch` belong to the programs that the agent starts. All of it is gone afterwards.
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
    where this invocation no longer owns the step. `checkpoint` is the last state saved, in an earlier invocation.
    `answers` are the questions that this step has asked so far, with what came of them. `taken_over` says that the
    invocation before died: what it was doing after its last save is unknown. `remaining()` are the seconds until the
    run has to leave with `DeadlineNear`; `note(kind, **fields)` appends to the transcript.
    """

    attempt: str
    goal: str
    job: Job
    place: Place
    spend: "Spend"
    save: Callable[[bytes, "Spend"], None]
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


@dataclass(frozen=True)
class Surroundings:
    """What the programs of an agent see of this process's environment, and nothing else of it."""

    path: str = "/usr/local/bin:/usr/bin:/bin"
    lang: str = "C.UTF-8"
    more: Mapping[str, str] = field(default_factory=dict)

    def environment(self, run: Run) -> dict[str, str]:
        """The whole environment of a program that is started for `run`."""
        return {
            "PATH": self.path,
            "LANG": self.lang,
            "HOME": str(run.place.home),
            "TMPDIR": str(run.place.scratch),
            "GOALRUNNER_OUT": str(run.place.out),
            "GOALRUNNER_GOAL": run.goal,
            "GOALRUNNER_ATTEMPT": run.attempt,
        }
