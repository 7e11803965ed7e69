"""A goal file's front matter as frozen models: every key, also those that only later work gives a meaning."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from goalrunner_shared.goals.agent import Agent, Check, Part, Steps
from goalrunner_shared.goals.values import (
    Count,
    Duration,
    Flag,
    GoalId,
    InsidePath,
    Line,
    LocalTime,
    Misfit,
    Moment,
    Name,
    Usd,
    Zone,
    ZonedMoment,
)

KINDS = ("every", "cron", "at", "manual")
DAY = timedelta(days=1)

_QUIET = re.compile(r"(\d\d:\d\d) ?(?:-|–|to) ?(\d\d:\d\d)")
_PASSWORD = re.compile(r"//[^/@]*:[^/@]*@")

PartT = TypeVar("PartT", bound=Part)

Status = Literal["draft", "active", "waiting", "paused", "blocked", "done", "abandoned"]


def _check_at(value: datetime) -> datetime:
    if not isinstance(value, datetime):
        raise ValueError("must be a date with a time like 2027-03-01T09:00Z")
    return value


class Schedule(Part):
    """When a goal is due: exactly one of every, cron, at, manual (`schedule: manual` is the same in one word)."""

    every: Duration | None = None
    cron: Line | None = Field(default=None, examples=["0 9 * * 1-5"])
    at: Annotated[Moment, AfterValidator(_check_at)] | None = None
    manual: Flag = False
    around: LocalTime | None = None
    tz: Zone | None = Field(default=None, examples=["Europe/Lisbon"])
    catch_up: Literal["latest", "none"] = "latest"

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        return {"manual": True} if value == "manual" else value

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        chosen = (self.every is not None) + (self.cron is not None) + (self.at is not None) + self.manual
        if chosen != 1:
            raise Misfit("needs exactly one of every, cron, at, manual", "write `schedule: {every: 24h}`")
        if self.around is not None and (self.every is None or self.every % DAY):
            raise Misfit("has around, which goes with whole days only", "write `every: 24h` or `every: 7d` beside it")
        if isinstance(self.at, datetime) and self.at.tzinfo is None and self.tz is None:
            raise Misfit("has an `at` without a time zone", "end it with Z or an offset like +01:00")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The zone of the local times in this schedule; UTC unless it names another."""
        return ZoneInfo(self.tz or "UTC")


class Budget(Part):
    """Limits in US dollars, and what happens when one is reached; an absent limit is the repository's."""

    # Nobody's money is spent without a limit: who wants more says so.
    per_run_usd: Usd = Decimal(1)
    per_day_usd: Usd | None = None
    total_usd: Usd | None = None
    on_exceed: Literal["ask", "stop"] = "ask"


class Ask(Part):
    """How long a question stays open and what happens when nobody answers."""

    timeout: Duration = timedelta(hours=24)
    on_timeout: Literal["block", "default", "skip"] = "block"

    @model_validator(mode="after")
    def _within_a_week(self) -> Self:
        if self.timeout > 7 * DAY:
            raise Misfit("has a timeout of more than seven days", "write `timeout: 7d` or less")
        return self


class Stop(Part):
    """When a goal is no longer tried."""

    max_attempts: Count | None = None
    max_failures_in_row: Count | None = None
    no_progress_runs: Count | None = None


class Repository(Part):
    """Another repository that is laid out beside the goal's own checkout, at `path` inside it."""

    url: Line = Field(examples=["https://git.example.com/team/site.git"])
    ref: Annotated[str, Field(pattern=r"^[^-\s][^\s]*$", max_length=250)] = "HEAD"
    path: InsidePath = Field(examples=["sources/site"])

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if self.url.startswith("-") or "::" in self.url or any(letter.isspace() for letter in self.url):
            raise Misfit("has a url that git must not be given", "write an https:// or ssh:// address")
        if _PASSWORD.search(self.url):
            raise Misfit("has a password in its url", "take it out and name it under `secrets:`")
        return self


class QuietHours(Part):
    """The hours in which nobody is disturbed; `22:00-07:00` is the same in one word."""

    start: LocalTime = Field(alias="from")
    end: LocalTime = Field(alias="to")
    tz: Zone | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        match = _QUIET.fullmatch(value) if isinstance(value, str) else None
        return {"from": match[1], "to": match[2]} if match else value


def _shared(part: type[PartT], **values: Any) -> Callable[[], PartT]:
    """One frozen default for all goals, made when the first goal needs it: importing this module builds no model."""
    return cache(lambda: part(**values))


class GoalSettings(Part):
    """Every key that `goalrunner.yaml` may hold for all goals, with what holds where nobody says anything."""

    format: Literal["goal/v1"] = Field(default="goal/v1", alias="schema")
    status: Status = "active"
    priority: Annotated[int, Field(strict=True, ge=1, le=5)] = Field(default=3, examples=[2])
    schedule: Schedule = Field(default_factory=_shared(Schedule, manual=True), examples=[{"every": "24h"}])
    deadline: ZonedMoment | None = None
    depends_on: tuple[GoalId, ...] = Field(default=(), examples=[["lisbon-flat"]])
    agent: Agent = Field(default_factory=_shared(Agent), examples=[{"engine": "claude-api"}])
    tools: tuple[Name, ...] = Field(default=(), examples=[["web_search", "web_fetch"]])
    budget: Budget = Field(default_factory=_shared(Budget), examples=[{"per_run_usd": 0.5}])
    ask: Ask = Field(default_factory=_shared(Ask), examples=[{"timeout": "24h", "on_timeout": "block"}])
    notify: Literal["always", "on_change", "on_failure", "digest"] = "on_change"
    stop: Stop = Field(default_factory=_shared(Stop), examples=[{"max_attempts": 60}])
    labels: tuple[Line, ...] = Field(default=(), examples=[["home"]])
    secrets: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]{0,63}$")], ...] = Field(
        default=(), examples=[["SHOP_TOKEN"]]
    )
    network: tuple[
        Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?(:[0-9]{1,5})?$")], ...
    ] = Field(default=(), examples=[["api.example.com"]])
    repositories: tuple[Repository, ...] = Field(
        default=(), examples=[[{"url": "https://git.example.com/team/site.git", "path": "sources/site"}]]
    )
    approve: tuple[Name, ...] = Field(default=(), examples=[["shell"]])
    steps: Steps = Field(default=(), examples=[[{"id": "collect", "do": "Collect the ads"}]])
    verify: tuple[Check, ...] = Field(default=(), examples=[["make test"]])
    aws: Flag = False
    quiet_hours: QuietHours | None = Field(default=None, examples=["22:00-07:00"])
    digest_at: LocalTime | None = None


class Goal(GoalSettings):
    """One goal: a `GoalSettings` with a name. Its id is the stem of its file."""

    id: GoalId = Field(examples=["lisbon-flat"])
    title: Line = Field(examples=["Find a flat in Lisbon"])
