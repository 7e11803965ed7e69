from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from goalrunner_shared.goals.defaults import NO_DEFAULTS, parse_defaults
from goalrunner_shared.goals.model import Goal
from goalrunner_shared.goals.parse import parse_goal
from goalrunner_shared.goals.problems import InvalidGoal

MakeBytes = Callable[..., bytes]

DEFAULTS = b"""# for all goals
schedule: {every: 24h, around: "09:00", tz: Europe/Lisbon}
agent: {engine: command, argv: [make], timeout: 3m}
budget:
  per_run_usd: 0.25
  per_day_usd: 2
notify: digest
"""


@pytest.fixture
def read(goal_bytes: MakeBytes) -> Callable[..., Goal]:
    """Read a goal of a repository with these defaults."""
    return lambda *lines: parse_goal("goals/a.md", goal_bytes("a", *lines), parse_defaults(DEFAULTS)).goal


def test_defaults_lie_below_a_goal_at_every_depth(read: Callable[..., Goal]) -> None:
    goal = read("budget: {per_run_usd: 1}", "agent: {timeout: 9m}")
    assert (goal.budget.per_run_usd, goal.budget.per_day_usd) == (Decimal(1), Decimal(2))
    assert (goal.agent.argv, goal.agent.timeout) == (("make",), timedelta(minutes=9))
    assert goal.notify == "digest"


def test_another_kind_of_schedule_takes_the_zone_and_not_the_rest(read: Callable[..., Goal]) -> None:
    schedule = read("schedule: {every: 30m}").schedule
    assert (schedule.every, schedule.around, schedule.tz) == (timedelta(minutes=30), None, "Europe/Lisbon")
    assert read("schedule: manual").schedule.manual


def test_another_engine_does_not_take_the_command(read: Callable[..., Goal]) -> None:
    agent = read("agent: {engine: codex}").agent
    assert (agent.engine, agent.argv, agent.timeout) == ("codex", None, timedelta(minutes=3))


@pytest.mark.parametrize("content", [None, b"", b"# nothing yet\n\n"])
def test_no_defaults_are_no_error(content: bytes | None) -> None:
    assert parse_defaults(content) == NO_DEFAULTS


@pytest.mark.parametrize("content", [b"schedule: {tz: Europe/Lisbon}\n", b"agent: {engine: command}\n"])
def test_defaults_may_be_half_of_something(content: bytes) -> None:
    assert parse_defaults(content).values


def test_an_error_that_a_default_causes_is_said_on_the_first_line_that_takes_part(goal_bytes: MakeBytes) -> None:
    defaults = parse_defaults(b"agent: {argv: [make], engine: command}\n")
    with pytest.raises(InvalidGoal, match=r"goals/a.md:4: agent.max_turns is 'x' but must be a whole number"):
        parse_goal("goals/a.md", goal_bytes("a", "agent: {max_turns: x}"), defaults)


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"notify: always\nbudgett: {}\n", 'goalrunner.yaml:2: unknown key "budgett"; did you mean "budget"?'),
        (b"id: a\n", 'goalrunner.yaml:1: unknown key "id"'),
        (b"title: a\n", 'goalrunner.yaml:1: unknown key "title"'),
        (b"- a\n", "goalrunner.yaml:1: the front matter is a list"),
        (b"ask: {timeout: 1}\n", "goalrunner.yaml:1: ask.timeout is 1 but must be a length of time"),
        (b"schedule: {every: 2h, cron: 1 2 3}\n", "goalrunner.yaml:1: schedule needs exactly one of"),
        (b"a: \xff\n", "goalrunner.yaml:1: byte 0xff is not UTF-8"),
    ],
)
def test_broken_defaults_are_refused_with_their_line(content: bytes, fragment: str) -> None:
    with pytest.raises(InvalidGoal) as caught:
        parse_defaults(content)
    assert fragment in str(caught.value)
