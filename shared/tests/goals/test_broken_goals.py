import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from goalrunner_shared.errors import InputError
from goalrunner_shared.goals.parse import parse_goal
from goalrunner_shared.goals.problems import InvalidGoal

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("broken_goals.json").read_text("utf-8"))["goals"]


def content_of(case: dict[str, Any]) -> bytes:
    if "base64" in case:
        return b64decode(case["base64"])
    return "".join(text * times for text, times in case.get("parts", [[case.get("content"), 1]])).encode("utf-8")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_broken_goal_file_is_refused_with_its_line_and_a_hint(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidGoal) as caught:
        parse_goal(case["path"], content_of(case))
    error, sentence = caught.value, str(caught.value)
    assert isinstance(error, InputError)
    assert case["fragment"] in sentence
    assert error.line == case["line"]
    assert sentence.startswith(f"{case['path']}:{case['line']}: ")
    assert error.hint
    assert "\n" not in sentence
    assert len(sentence) < 600


def test_every_broken_goal_has_its_own_name_and_file() -> None:
    assert len(CASES) >= 30
    assert len({case["name"] for case in CASES}) == len({case["path"] for case in CASES}) == len(CASES)


def test_a_file_too_large_to_read_is_refused_like_a_large_one() -> None:
    with pytest.raises(InvalidGoal, match=r"goals/a\.md:1: the file is larger than 256 KB"):
        parse_goal("goals/a.md", None)


@pytest.mark.parametrize("case", [case for case in CASES if "content" in case], ids=lambda case: case["name"])
def test_the_line_is_the_same_with_windows_line_ends(case: dict[str, Any]) -> None:
    with pytest.raises(InvalidGoal) as caught:
        parse_goal(case["path"], content_of(case).replace(b"\n", b"\r\n"))
    assert caught.value.line == case["line"]
