"""SIGKILL before every side effect of every function: each goal still ends exactly once."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from goalrunner_local.answers import keep_answer
from goalrunner_shared.clock import parse_instant
from goalrunner_shared.goals.ids import attempt_id, question_id
from tests.loop.laptop import SLOT, Laptop, attempt_commits, kill_everything

pytestmark = [pytest.mark.emulator, pytest.mark.slow, pytest.mark.timeout(600)]

WANTED = ("notes-digest", "notes-index", "reading-shortlist", "weekend-trip")
# What each function does to the world; `test_the_table_is_complete` holds it against a run.
EFFECTS = {
    "goalrunner-scanner-scan": ("blob write", "publish", "table write"),
    "goalrunner-planner-plan": ("blob write", "commit", "publish", "push", "table write"),
    "goalrunner-executor-execute": ("blob write", "publish", "table write"),
    "goalrunner-notifier-hear": ("publish", "send", "start wait", "table write"),
    "goalrunner-notifier-deliver": ("beat", "publish", "send", "set alarm", "table write"),
    "goalrunner-notifier-updates": ("send", "settle wait", "table write"),
    "goalrunner-reporter-report": ("commit", "publish", "push", "table write"),
    "goalrunner-reporter-journal": ("blob write",),
}


def answer_ahead(laptop: Laptop) -> None:
    """Put the answer down before the question is asked: it is delivered when it is."""
    attempt = attempt_id("weekend-trip", parse_instant(SLOT), "schedule")
    keep_answer(laptop.state / "answers", question=question_id(attempt, "main", 1), text="by train")


def all_ended_once(laptop: Laptop, goals: dict[str, dict[str, object]]) -> None:
    """Every goal is done, every attempt has its planner's and its reporter's commit, and the repository is whole."""
    assert {name: goals[name]["outcome"] for name in WANTED} == dict.fromkeys(WANTED, "done")
    assert "Getting there: by train" in laptop.git("show", "HEAD:artifacts/weekend-trip/itinerary.md")
    commits = attempt_commits(laptop)
    assert sorted(attempt.partition(".")[0] for attempt in commits) == sorted(WANTED)
    assert {attempt: len(subjects) for attempt, subjects in commits.items()} == dict.fromkeys(commits, 2)
    laptop.git("fsck", "--strict")


def test_the_table_is_complete(laptop: Laptop, tmp_path: Path) -> None:
    laptop.plan_chaos(tmp_path / "chaos", {"record": str(tmp_path / "effects")})
    answer_ahead(laptop)
    all_ended_once(laptop, laptop.once())
    seen: dict[str, set[str]] = {}
    for line in (tmp_path / "effects").read_text().splitlines():
        function, effect, _ = json.loads(line)
        seen.setdefault(function, set()).add(effect)
    assert {function: tuple(sorted(effects)) for function, effects in seen.items()} == EFFECTS


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    ("function", "effect"), [(function, effect) for function, effects in EFFECTS.items() for effect in effects]
)
def test_a_worker_killed_before_a_side_effect_loses_and_repeats_nothing(
    make_laptop: Callable[[str], Laptop], tmp_path: Path, function: str, effect: str, number: int
) -> None:
    laptop = make_laptop("laptop")
    laptop.plan_chaos(tmp_path / "chaos", {"kill": [function, effect, number], "done": str(tmp_path / "done")})
    answer_ahead(laptop)
    goals = laptop.once()
    # An effect that a run has only once cannot be killed the second time; then this was one more plain run.
    assert (tmp_path / "done").exists() or number > 1
    all_ended_once(laptop, goals)


@pytest.mark.parametrize("commits", [1, 2, 5, 7, 8])
def test_everything_killed_the_emulator_included_then_up_again(laptop: Laptop, commits: int) -> None:
    running = laptop.start("up", "--once", "--slot", SLOT)
    end = time.monotonic() + 60
    while int(laptop.git("rev-list", "--count", "HEAD")) < commits and time.monotonic() < end:
        time.sleep(0.02)
    kill_everything(running.pid)
    running.communicate(timeout=60)
    answer_ahead(laptop)
    goals = laptop.once()
    for name in WANTED:
        # What was reported before the kill is not due again in the same slot.
        if goals[name]["outcome"] == "skipped":
            assert f"attempt({name}): done" in laptop.git("log", "--format=%s")
            goals[name]["outcome"] = "done"
    all_ended_once(laptop, goals)
    tip = laptop.git("rev-parse", "HEAD")
    laptop.once()
    assert laptop.git("rev-parse", "HEAD") == tip
