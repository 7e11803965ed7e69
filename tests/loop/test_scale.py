"""A thousand goals of which fifty are due, and one slot on the emulator's own Lambda."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.loop.laptop import Laptop, attempt_commits

pytestmark = [pytest.mark.emulator, pytest.mark.slow, pytest.mark.timeout(1500)]

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)
GOAL = """---
id: {goal}
title: Goal number {number}
schedule: {schedule}
agent: {{engine: command, argv: [sh, -c, 'echo {number} > "$GOALRUNNER_OUT/number.txt"']}}
---
## Outcome
The number is written down.
"""


def repository_of(folder: Path, *, goals: int, due: int) -> Path:
    """A bare repository of so many goals, so many of them due."""
    tree, bare = folder / "tree", folder / "many.git"
    for number in range(goals):
        path = tree / "goals" / f"area-{number % 10}" / f"goal-{number:04}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        later = (SLOT + timedelta(days=1)).isoformat()
        schedule = "{every: 24h}" if number < due else f'{{at: "{later}"}}'
        path.write_text(GOAL.format(goal=path.stem, number=number, schedule=schedule))
    who = ["-c", "user.name=You", "-c", "user.email=you@localhost"]
    for words in (
        ["init", "--quiet", "--initial-branch=main", str(tree)],
        ["-C", str(tree), "add", "--all"],
        ["-C", str(tree), *who, "commit", "--quiet", "--message=Many goals"],
        ["clone", "--quiet", "--bare", str(tree), str(bare)],
    ):
        subprocess.run(["git", *words], check=True)
    return bare


def test_of_a_thousand_goals_all_fifty_that_are_due_are_reported_once(tmp_path: Path) -> None:
    laptop = Laptop(repository_of(tmp_path, goals=1000, due=50), tmp_path / "state")
    goals = laptop.once(within=600)
    assert len(goals) == 1000
    ended = {name for name, goal in goals.items() if goal["outcome"] == "done"}
    assert ended == {f"goal-{number:04}" for number in range(50)}
    commits = attempt_commits(laptop)
    assert len(commits) == 50
    assert {len(subjects) for subjects in commits.values()} == {2}
    assert laptop.git("show", "HEAD:artifacts/goal-0049/number.txt") == "49"
    tip = laptop.git("rev-parse", "HEAD")
    laptop.once(within=300)
    assert laptop.git("rev-parse", "HEAD") == tip


def test_a_slot_runs_on_the_emulators_lambda_from_the_zip_builds(laptop: Laptop) -> None:
    first = laptop.call("up", "--once", "--lambda", "--slot", "2026-01-01T10:00Z", "--json", within=600)
    assert first.returncode == 0, first.stderr
    subjects = laptop.git("log", "--format=%s")
    for goal in ("notes-index", "notes-digest", "reading-shortlist"):
        assert f"attempt({goal}): done" in subjects
    assert "attempt(weekend-trip): planned" in subjects
    assert '"outcome": "waiting"' in first.stdout
