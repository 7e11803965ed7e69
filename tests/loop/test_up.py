"""`goalrunner up`, `answer`, `run`, `status` and `events` as a person types them."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.loop.laptop import SLOT, Laptop, attempt_commits, open_of

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(300)]


def until(holds: Callable[[], Any], within: float = 60) -> Any:
    """Wait for a condition, and give what it gives."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen in time")


def test_a_slot_with_a_question_that_is_answered_when_nothing_runs(laptop: Laptop) -> None:
    goals = laptop.once()
    assert {name: goal["outcome"] for name, goal in goals.items()} == {
        "notes-index": "done",
        "notes-digest": "done",
        "reading-shortlist": "done",
        "tax-return": "skipped",
        "water-plants": "rejected",
        "weekend-trip": "waiting",
    }
    assert goals["tax-return"]["reason"] == "runs only when asked to"
    assert goals["water-plants"]["reason"].startswith("goals/water-plants.md:6: ")
    assert goals["reading-shortlist"]["cost_usd"] > 0
    (question,) = open_of(goals["weekend-trip"])
    assert question["options"] == ["by train", "by car"]

    wrong = laptop.call("answer", "aaaaaaaaaa", "by car")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert question["id"] in wrong.stderr
    said = laptop.call("answer", question["id"], "2")
    assert said.returncode == 0, said.stderr

    after = laptop.once()
    assert after["weekend-trip"]["outcome"] == "done"
    assert after["weekend-trip"]["attempt"] == goals["weekend-trip"]["attempt"]
    assert "Getting there: by car" in laptop.git("show", "HEAD:artifacts/weekend-trip/itinerary.md")
    assert {len(subjects) for subjects in attempt_commits(laptop).values()} == {2}
    laptop.git("fsck", "--strict")

    tip = laptop.git("rev-parse", "HEAD")
    again = laptop.once()
    assert laptop.git("rev-parse", "HEAD") == tip
    assert again["weekend-trip"]["outcome"] == "skipped"


def test_nothing_but_machine_files_changes(laptop: Laptop) -> None:
    before = laptop.git("rev-parse", "HEAD")
    laptop.to_the_end()
    changed = laptop.git("diff", "--name-only", before, "HEAD").splitlines()
    assert all(re.match(r"attempts/|artifacts/|goals/", path) for path in changed), changed
    for path in (path for path in changed if path.startswith("goals/")):
        old, new = laptop.git("show", f"{before}:{path}"), laptop.git("show", f"HEAD:{path}")
        assert new.split("<!-- goalrunner:state begin")[0].rstrip() == old.rstrip()


def test_the_question_is_answered_while_up_runs_and_ctrl_c_loses_nothing(laptop: Laptop) -> None:
    running = laptop.start("up")
    try:
        until(lambda: laptop.state.joinpath("up.json").exists())
        second = laptop.call("up", "--once")
        assert second.returncode == 2
        assert "is in use by process" in second.stderr
        question = until(lambda: _open_question(laptop))
        assert laptop.call("answer", question["id"], "by train").returncode == 0
        until(lambda: "weekend-trip" in laptop.git("log", "--format=%s") and _outcome(laptop, "weekend-trip") == "done")
        assert laptop.call("run", "tax-return").returncode == 0
        until(lambda: _outcome(laptop, "tax-return") == "done")
    finally:
        running.send_signal(signal.SIGINT)
        output, _ = running.communicate(timeout=60)
    assert running.returncode == 0, output
    assert "Traceback" not in output


def test_ctrl_c_with_an_open_question_and_up_again_goes_on(laptop: Laptop) -> None:
    running = laptop.start("up")
    question = until(lambda: _open_question(laptop))
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    shown = json.loads(laptop.call("status", "--json").stdout)
    assert [open_of(goal) for goal in shown["goals"] if goal["id"] == "weekend-trip"] == [[question]]
    assert laptop.call("answer", question["id"], "by car").returncode == 0
    running = laptop.start("up")
    try:
        until(lambda: _outcome(laptop, "weekend-trip") == "done")
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
    assert len([1 for subjects in attempt_commits(laptop).values() if len(subjects) != 2]) == 0


def test_one_goal_runs_whatever_its_schedule_says(laptop: Laptop) -> None:
    done = laptop.call("run", "tax-return", "--json")
    assert done.returncode == 0, done.stderr
    (goal,) = json.loads(done.stdout)["goals"]
    assert (goal["id"], goal["outcome"]) == ("tax-return", "done")
    assert "travel" in laptop.git("show", "HEAD:artifacts/tax-return/papers.txt")
    wrong = laptop.call("run", "tax-retrun")
    assert wrong.returncode == 2
    assert "did you mean tax-return" in wrong.stderr


def test_without_a_key_goals_that_need_a_model_are_skipped_with_what_to_do(laptop: Laptop) -> None:
    laptop.model = None
    goals = laptop.once()
    assert goals["reading-shortlist"]["outcome"] == "skipped"
    assert goals["reading-shortlist"]["reason"] == "needs a model: set ANTHROPIC_API_KEY"
    assert goals["notes-index"]["outcome"] == "done"


def test_the_journal_holds_every_event_in_order(laptop: Laptop) -> None:
    goals = laptop.once()
    attempt = goals["reading-shortlist"]["attempt"]
    listed = laptop.call("events", "--attempt", attempt, "--json")
    assert listed.returncode == 0, listed.stderr
    types = [json.loads(line)["detail-type"] for line in listed.stdout.splitlines()]
    assert types[:5] == [
        "goal.due.v1",
        "attempt.planned.v1",
        "step.ready.v1",
        "step.finished.v1",
        "attempt.finished.v1",
    ]
    assert "result.reported.v1" in types
    assert laptop.call("events", "--attempt", "nobody.2026-01-01T1000Z.000000").returncode == 2


def test_a_work_tree_is_pushed_to_and_a_dirty_one_refused(laptop: Laptop) -> None:
    tree = laptop.repository.with_name("tree")
    subprocess.run(["git", "clone", "--quiet", laptop.repository, tree], check=True)
    laptop.repository = tree
    (tree / "goals" / "tax-return.md").write_text("half an edit")
    refused = laptop.call("up", "--once", "--slot", SLOT)
    assert refused.returncode == 2
    assert "uncommitted changes" in refused.stderr
    laptop.git("checkout", "--quiet", ".")
    assert laptop.once()["notes-index"]["outcome"] == "done"
    assert (tree / "artifacts" / "notes-index" / "index.md").exists()


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["up", "--slot", "2026-01-01T10:00Z"], "need --once"),
        (["up", "--once", "--slot", "noon"], "2026-01-01T10:00Z"),
        (["answer", "aaaaaaaaaa", " "], "is empty"),
    ],
)
def test_bad_usage_is_one_sentence_and_exit_2(laptop: Laptop, words: list[str], part: str) -> None:
    done = laptop.call(*words)
    assert done.returncode == 2
    assert part in done.stderr
    assert "Traceback" not in done.stderr


def _open_question(laptop: Laptop) -> dict[str, Any] | None:
    if laptop.state.joinpath("up.json").exists():
        done = laptop.call("status", "--json")
        if done.returncode == 0:
            for goal in json.loads(done.stdout)["goals"]:
                for question in open_of(goal):
                    return question
    return None


def _outcome(laptop: Laptop, goal: str) -> str:
    goals = json.loads(laptop.call("status", "--json").stdout)["goals"]
    return next(str(each["outcome"]) for each in goals if each["id"] == goal)
