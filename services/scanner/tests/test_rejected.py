"""Invalid files: each is said once, with its place, and stops nobody else."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from goalrunner_events import Standing
from goalrunner_shared.git.fake import InMemoryRepository

BROKEN = Path(__file__).parents[3] / "shared/tests/goals/broken_goals.json"


def _content(case: dict[str, Any]) -> bytes:
    if "base64" in case:
        return b64decode(case["base64"])
    return "".join(text * times for text, times in case.get("parts", [[case.get("content"), 1]])).encode()


def test_thirty_broken_files_beside_good_ones_stop_nobody(worlds: Any, goal: Any) -> None:
    cases = json.loads(BROKEN.read_text("utf-8"))["goals"]
    good = {name: goal(name) for name in ("good-one", "good-two", "good-three")}
    world = worlds({**{case["path"]: _content(case) for case in cases}, **good})
    standings = world.scan()
    assert {due.goal for due in world.dues()} == set(good)
    assert len(cases) >= 30
    said = {event.path: event for event in world.rejections()}
    assert said.keys() == {case["path"] for case in cases}
    for case in cases:
        event, standing = said[case["path"]], standings[case["path"]]
        assert event.line == case["line"]
        sentence = f"{event.path}:{event.line}: {event.problem}; {event.hint}"
        assert case["fragment"] in sentence
        assert event.hint
        assert (standing.standing, standing.reason) == (Standing.REJECTED, sentence)


def test_a_version_is_rejected_once_and_the_next_version_again(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": b""})
    world.scan()
    world.scan()
    assert len(world.rejections()) == 1
    world.repository.commit_elsewhere({"goals/shelf.md": b"words"})
    world.scan()
    assert len(world.rejections()) == 2
    world.repository.commit_elsewhere({"goals/shelf.md": goal("shelf")})
    assert world.scan()["goals/shelf.md"].standing is Standing.DUE


def test_files_that_do_not_fit_each_other_are_rejected_and_the_others_run(worlds: Any, goal: Any) -> None:
    world = worlds(
        {
            "goals/one/twin.md": goal("twin"),
            "goals/two/twin.md": goal("twin"),
            "lonely": goal("lonely", "depends_on: [nobody]"),
            "ring-a": goal("ring-a", "depends_on: [ring-b]"),
            "ring-b": goal("ring-b", "depends_on: [ring-c]"),
            "ring-c": goal("ring-c", "depends_on: [ring-a]"),
            "behind": goal("behind", "depends_on: [ring-a]"),
            "good": goal("good"),
        }
    )
    standings = world.scan()
    assert [due.goal for due in world.dues()] == ["good"]
    assert {event.path: event.line for event in world.rejections()} == {
        "goals/one/twin.md": 2,
        "goals/two/twin.md": 2,
        "goals/lonely.md": 5,
        "goals/ring-a.md": 5,
        "goals/ring-b.md": 5,
        "goals/ring-c.md": 5,
    }
    assert standings["goals/behind.md"].reason == "waits for ring-a, whose file is invalid"


def test_a_missing_goal_that_appears_heals_the_one_that_named_it(worlds: Any, goal: Any) -> None:
    world = worlds({"b": goal("b", "depends_on: [a]")})
    assert world.scan()["goals/b.md"].standing is Standing.REJECTED
    world.repository.commit_elsewhere({"goals/a.md": goal("a")})
    assert world.scan()["goals/b.md"].reason == "waits for a, which is being worked on"


@pytest.mark.parametrize(
    ("path", "mode", "problem"),
    [
        ("goals/shelf.md", "120000", "symbolic link"),
        ("goals/latin-\udce9/shelf.md", "100644", "not plain text in UTF-8"),
        ("goals/two\nlines/shelf.md", "100644", "not plain text in UTF-8"),
    ],
)
def test_what_git_can_hold_and_a_goal_cannot_be_is_rejected(
    worlds: Any, goal: Any, path: str, mode: str, problem: str
) -> None:
    world = worlds({})
    world.repository = InMemoryRepository({path: goal("shelf"), "goals/good.md": goal("good")}, modes={path: mode})
    world.scan()
    (event,) = world.rejections()
    assert problem in event.problem
    assert [due.goal for due in world.dues()] == ["good"]
