"""SIGKILL before every side effect of every function: each goal still ends exactly once, in the same tree."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.loop.laptop import SLOT, Laptop, attempt_commits, kill_everything

pytestmark = [pytest.mark.emulator, pytest.mark.slow, pytest.mark.timeout(3000)]

WANTED = {
    "notes-index": "done",
    "notes-digest": "done",
    "reading-shortlist": "done",
    "weekend-trip": "done",
}
# How often each effect is killed: the first ones of a kind are the interesting ones, later ones are the same code.
NTH = 2


def ended_once(laptop: Laptop) -> None:
    """Every attempt has its planner's and its reporter's commit, once, and the repository is whole."""
    commits = attempt_commits(laptop)
    assert {attempt.partition(".")[0] for attempt in commits} == set(WANTED)
    assert len(commits) == len(WANTED)
    assert {attempt: len(subjects) for attempt, subjects in commits.items()} == dict.fromkeys(commits, 2)
    laptop.git("fsck", "--strict")


def settled(goals: dict[str, dict[str, object]], laptop: Laptop) -> None:
    """What the last run says of the goals: done in it, or done in an earlier one."""
    for name in WANTED:
        assert goals[name]["outcome"] in ("done", "skipped"), goals[name]
    ended_once(laptop)


def test_a_kill_before_each_side_effect_loses_nothing_and_repeats_nothing(
    make_laptop: Callable[[str], Laptop], tmp_path: Path
) -> None:
    reference = make_laptop("reference")
    reference.plan_chaos(tmp_path / "record", {"record": str(tmp_path / "effects")})
    settled(reference.to_the_end(), reference)
    effects = [json.loads(line) for line in (tmp_path / "effects").read_text().splitlines()]
    points = sorted({(function, effect, number) for function, effect, number in effects if number <= NTH})
    assert {effect for _, effect, _ in points} >= {
        "publish",
        "table write",
        "blob write",
        "commit",
        "push",
        "send",
        "start wait",
        "settle wait",
        "set alarm",
    }
    for number, point in enumerate(points):
        laptop = make_laptop(f"kill-{number}")
        done = tmp_path / f"done-{number}"
        laptop.plan_chaos(tmp_path / f"chaos-{number}", {"kill": list(point), "done": str(done)})
        settled(laptop.to_the_end(), laptop)
        assert done.exists(), f"nothing was killed before {point}"


@pytest.mark.parametrize("after", ["attempts", "first commit", "the question", "most of it"])
def test_a_kill_of_everything_the_emulator_included_ends_every_goal_once(laptop: Laptop, after: str) -> None:
    running = laptop.start("up", "--once", "--slot", SLOT)
    _wait_for(laptop, after)
    kill_everything(running.pid)
    running.communicate(timeout=60)
    settled(laptop.to_the_end(), laptop)


def _wait_for(laptop: Laptop, after: str) -> None:
    commits = {"attempts": 1, "first commit": 2, "the question": 5, "most of it": 7}[after]
    end = time.monotonic() + 60
    while int(laptop.git("rev-list", "--count", "HEAD")) < commits:
        assert time.monotonic() < end
        time.sleep(0.02)
