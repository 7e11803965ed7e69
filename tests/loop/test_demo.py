"""`make demo` and the set-up, as a new user runs them."""

import os
import pty
import select
import subprocess
import time
from pathlib import Path

import pytest

from tests.loop.laptop import COMMAND, Laptop, attempt_commits

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(200)]


def test_the_demo_without_a_terminal_takes_the_default_and_ends_well(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    done = subprocess.run(
        [COMMAND, "demo", "--keep", tmp_path / "kept"],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    flat = " ".join(done.stdout.split())
    assert "scripted one that runs offline" in flat
    assert "default taken: by train" in flat
    assert "runs only when asked to" in flat
    assert "goals/water-plants.md:6" in flat
    laptop = Laptop(tmp_path / "kept" / "goals.git", tmp_path / "kept" / "state")
    commits = attempt_commits(laptop)
    assert {attempt.partition(".")[0] for attempt in commits} == {
        "notes-index",
        "notes-digest",
        "reading-shortlist",
        "weekend-trip",
    }
    assert {len(subjects) for subjects in commits.values()} == {2}
    laptop.git("fsck", "--strict")
    assert not list(home.iterdir())


def test_the_demo_asks_at_the_terminal(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "demo", "--keep", tmp_path / "kept"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    seen = _read_until(master, "answer>", 90)
    os.write(master, b"2\n")
    seen += _read_until(master, "kept:", 90)
    assert process.wait(timeout=60) == 0, seen
    os.close(master)
    laptop = Laptop(tmp_path / "kept" / "goals.git", tmp_path / "kept" / "state")
    assert "by car" in laptop.git("show", "HEAD:artifacts/weekend-trip/itinerary.md")


def _read_until(descriptor: int, mark: str, within: float) -> str:
    seen, end = "", time.monotonic() + within
    while mark not in seen:
        left = end - time.monotonic()
        assert left > 0, seen
        if select.select([descriptor], [], [], left)[0]:
            seen += os.read(descriptor, 65536).decode(errors="replace")
    return seen
