from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from goalrunner_shared.goals.front_matter import load_mapping
from goalrunner_shared.goals.model import Goal, GoalSettings
from goalrunner_shared.goals.parse import parse_goal
from goalrunner_shared.goals.schema import json_schema, schema_at


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """The published schema, itself checked."""
    found = json_schema()
    Draft202012Validator.check_schema(found)
    return found


@pytest.mark.parametrize(
    "text",
    [
        "schedule: manual",
        "schedule: {every: 2h}",
        'schedule: {every: 24h, around: "09:00", tz: Europe/Lisbon}',
        "schedule: {at: 2027-03-01T09:00Z}",
        "deadline: 2027-03-01",
        "budget: {per_run_usd: 0.5, total_usd: 20}",
        "verify: [make test, {argv: [ls]}]",
        "quiet_hours: 22:00-07:00",
        'quiet_hours: {from: "22:00", to: "07:00"}',
        "agent: {engine: command, argv: [make], timeout: 12m}",
        "schema: goal/v1",
        "depends_on: [b]",
    ],
)
def test_what_the_parser_takes_the_schema_takes(
    schema: dict[str, Any], goal_bytes: Callable[..., bytes], text: str
) -> None:
    parse_goal("goals/a.md", goal_bytes("a", text))
    assert list(Draft202012Validator(schema).iter_errors(load_mapping(f"id: a\ntitle: A\n{text}\n"))) == []


@pytest.mark.parametrize(
    "text",
    ["schedule: sometimes", "schedule: {every: 2 hours}", "priority: 9", "priorty: 2", "status: activ", "id: Bad Id"],
)
def test_what_an_editor_can_see_is_wrong_it_shows(schema: dict[str, Any], text: str) -> None:
    data = {"id": "a", "title": "A", **load_mapping(f"{text}\n")}
    assert not Draft202012Validator(schema).is_valid(data)


def test_every_example_in_the_schema_is_valid(schema: dict[str, Any]) -> None:
    for key in GoalSettings.model_fields:
        for example in schema_at(schema, [key]).get("examples", []):
            Goal.model_validate({"id": "a", "title": "A", key: example})


def test_every_default_in_the_schema_is_valid(schema: dict[str, Any]) -> None:
    assert schema["$defs"]["Agent"]["properties"]["timeout"]["default"] == "12m"
    assert schema["$defs"]["Ask"]["properties"]["timeout"]["default"] == "1d"


def test_the_schema_is_the_callers_own_copy() -> None:
    json_schema()["properties"].clear()
    assert json_schema()["properties"]
