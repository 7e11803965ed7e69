from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError

from goalrunner_shared.goals.body import Criterion
from goalrunner_shared.goals.model import Goal
from goalrunner_shared.goals.parse import ParsedGoal, is_goal_path, parse_goal
from goalrunner_shared.goals.state import GoalState, with_state

Make = Callable[..., ParsedGoal]
MakeBytes = Callable[..., bytes]

WHOLE = """---
schema: goal/v1
id: lisbon-flat            # stable
title: Find a 2-room flat in Lisbon under 1,400 EUR
status: active
priority: 2
schedule: {every: 24h, around: "09:00", tz: Europe/Lisbon, catch_up: latest}
deadline: 2027-03-01
depends_on: []
agent: {engine: claude-api, model: default, max_turns: 40, timeout: 12m}
tools: [web_search, web_fetch, code_execution]
budget: {per_run_usd: 0.50, per_day_usd: 1.00, total_usd: 20, on_exceed: ask}
ask: {timeout: 24h, on_timeout: block}
notify: on_change
stop: {max_attempts: 60, max_failures_in_row: 5, no_progress_runs: 5}
labels: [home]
secrets: [SHOP_TOKEN]
network: [api.example.com, "*.example.org"]
repositories: [{url: "https://git.example.com/a.git", path: sources/a}]
approve: [shell]
steps:
  - {id: collect, script: scripts/collect.sh}
  - {id: judge, do: Judge them, needs: [collect], agent: {engine: command, argv: [make]}}
verify: [make test, {argv: [ls, out], criterion: AC1}]
aws: true
quiet_hours: 22:00-07:00
digest_at: 08:00
---
## Outcome
"""


def test_the_documented_goal_file_is_read_with_all_its_keys() -> None:
    goal = parse_goal("goals/home/lisbon-flat.md", WHOLE.encode()).goal
    assert goal.schedule.every == timedelta(days=1)
    assert goal.schedule.around == time(9)
    assert goal.deadline == date(2027, 3, 1)
    assert goal.budget.per_run_usd == Decimal("0.50")
    assert goal.agent.timeout == timedelta(minutes=12)
    assert goal.repositories[0].ref == "HEAD"
    assert goal.steps[1].agent is not None
    assert goal.verify[0].argv == ("sh", "-c", "make test")
    assert goal.quiet_hours is not None
    assert goal.quiet_hours.end == time(7)


def test_a_goal_survives_its_own_dump() -> None:
    goal = parse_goal("goals/lisbon-flat.md", WHOLE.encode()).goal
    assert Goal.model_validate(goal.model_dump(by_alias=True)) == goal
    assert Goal.model_validate_json(goal.model_dump_json(by_alias=True)) == goal


def test_a_goal_cannot_be_changed(parsed: Make) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        parsed().goal.__setattr__("title", "other")


def test_a_goal_needs_only_an_id_and_a_title_and_then_runs_only_when_asked(parsed: Make) -> None:
    goal = parsed().goal
    assert goal.schedule.manual
    assert (goal.status, goal.priority, goal.agent.engine) == ("active", 3, "claude-api")
    assert parsed("a", "schedule: manual").goal.schedule == goal.schedule


@pytest.mark.parametrize(
    ("line", "instant"),
    [
        ("schedule: {at: 2027-03-01T09:00Z}", datetime(2027, 3, 1, 9, tzinfo=UTC)),
        ("schedule: {at: 2027-03-01T10:00:00+01:00}", datetime(2027, 3, 1, 9, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read_with_its_zone(parsed: Make, line: str, instant: datetime) -> None:
    assert parsed("a", line).goal.schedule.at == instant


def test_words_that_yaml_1_1_misreads_stay_what_was_typed(parsed: Make) -> None:
    goal = parsed("a", "schedule: {every: 24h, around: 10:00}", "labels: [no, on, 2027-01-01, 1_000]").goal
    assert goal.schedule.around == time(10)
    assert goal.labels == ("no", "on", "2027-01-01", "1_000")


def test_signs_that_only_look_dangerous_are_allowed_in_text(parsed: Make) -> None:
    goal = parsed("a", "labels: [Tom & Jerry, 5 * 3, Wow!]", "schedule: {cron: 0 9 * * 1}").goal
    assert goal.labels == ("Tom & Jerry", "5 * 3", "Wow!")
    assert goal.schedule.cron == "0 9 * * 1"


def test_the_body_is_taken_apart_into_sections(parsed: Make) -> None:
    goal = parsed()
    assert goal.outcome == "A flat, found."
    assert goal.constraints == "Write to nobody."
    assert goal.guidance == "Prefer Alfama."
    assert goal.context == ""
    assert goal.sections["wishes"] == "A balcony."
    assert "not a heading" not in goal.sections


def test_acceptance_criteria_have_ids_texts_and_marks(parsed: Make) -> None:
    assert parsed().criteria == (
        Criterion("AC1", "A shortlist of five ads, each with a link", checked=False),
        Criterion("AC2", "A note on each", checked=True),
        Criterion("7", "Prices", checked=True),
    )


def test_windows_line_ends_and_a_byte_order_mark_make_no_difference(goal_bytes: MakeBytes, parsed: Make) -> None:
    content = with_state(b"\xef\xbb\xbf" + goal_bytes().replace(b"\n", b"\r\n"), GoalState(attempts=3))
    goal = parse_goal("goals/lisbon-flat.md", content)
    assert (goal.goal, goal.sections, goal.criteria) == (parsed().goal, parsed().sections, parsed().criteria)
    assert goal.state == GoalState(attempts=3)


def test_the_state_block_is_read_and_is_not_part_of_the_body(goal_bytes: MakeBytes) -> None:
    state = GoalState(attempts=4, spent_usd=Decimal("3.12"))
    goal = parse_goal("goals/lisbon-flat.md", with_state(goal_bytes(), state))
    assert goal.state == state
    assert "goalrunner:state" not in goal.body
    assert goal.guidance == "Prefer Alfama."


def test_a_state_marker_inside_a_sentence_is_text(goal_bytes: MakeBytes) -> None:
    content = goal_bytes(body="Write `<!-- goalrunner:state begin -->` nowhere.\n")
    assert parse_goal("goals/lisbon-flat.md", content).state is None


@pytest.mark.parametrize("path", ["goals/a.md", "goals/x/y/a.md", "goals/Bad Id.md"])
def test_markdown_below_goals_is_a_goal(path: str) -> None:
    assert is_goal_path(path)


@pytest.mark.parametrize(
    "path",
    ["a.md", "attempts/a/b.md", "goals/a.txt", "goals/README.md", "goals/x/readme.md", "goals/.x/a.md", "goals.md"],
)
def test_everything_else_is_none(path: str) -> None:
    assert not is_goal_path(path)


def test_the_line_of_a_key_is_found_only_when_asked(parsed: Make) -> None:
    goal = parsed("a", "budget:", "  per_run_usd: 1", "depends_on: [b, c]")
    assert goal.line_of("budget", "per_run_usd") == 5
    assert goal.line_of("depends_on", 1) == 6
    assert goal.line_of("labels") == 1


def test_a_hostile_body_is_taken_apart_in_no_time(goal_bytes: MakeBytes) -> None:
    line = " " * 60_000
    body = f"## {line}x\n- [ ] {line}x{line}\n```{line}x\n"
    assert parse_goal("goals/lisbon-flat.md", goal_bytes(body=body)).sections
