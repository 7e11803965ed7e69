"""The state folder: held by one, and forgetting what cannot be trusted after a crash."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from goalrunner_local.state import RunningUp, StateFolder, StateInUse, default_state
from goalrunner_shared.errors import InputError

HOLDER = """
import sys, time
from pathlib import Path
from goalrunner_local.state import StateFolder

state = StateFolder(Path(sys.argv[1]))
with state.held():
    if sys.argv[2]:
        state.announce(sys.argv[2])
    print("held", flush=True)
    time.sleep(600)
"""

ENDPOINT = "http://127.0.0.1:4566"


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state", patience=0.3)


@contextmanager
def held_elsewhere(state: StateFolder, *, endpoint: str = ENDPOINT) -> Iterator[int]:
    """Another process that holds the folder, and is killed at the end."""
    command = [sys.executable, "-c", HOLDER, str(state.root), endpoint]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process.pid
        finally:
            os.kill(process.pid, signal.SIGKILL)


def remember(state: StateFolder) -> None:
    for path in ("emulator/services/sqs.json", "emulator/s3/goalrunner/journal/1.json", "work/a/draft", "git/m/HEAD"):
        (state.root / path).parent.mkdir(parents=True, exist_ok=True)
        (state.root / path).write_text("kept")


def remembered(state: StateFolder) -> set[str]:
    places = ("emulator", "work", "git")
    files = (path for place in places for path in (state.root / place).rglob("*") if path.is_file())
    return {path.relative_to(state.root).parts[0] + "/" + path.name for path in files}


def test_a_second_holder_is_told_who_has_it_and_what_to_do(state: StateFolder) -> None:
    with held_elsewhere(state) as pid, pytest.raises(StateInUse) as caught, state.held():
        pass
    assert str(caught.value) == (
        f"{state.root} is in use by process {pid}: stop that goalrunner first, or name another folder with --state"
    )
    assert isinstance(caught.value, InputError)


def test_a_holder_that_has_not_yet_said_who_it_is_keeps_others_out_too(state: StateFolder) -> None:
    with held_elsewhere(state, endpoint=""), pytest.raises(StateInUse, match="in use by another process"), state.held():
        pass


def test_the_others_see_who_runs_and_where(state: StateFolder) -> None:
    assert state.running() is None
    with held_elsewhere(state) as pid:
        assert state.running() == RunningUp(pid=pid, endpoint=ENDPOINT)
    assert state.running() is None


def test_looking_takes_nothing_away(state: StateFolder) -> None:
    with held_elsewhere(state):
        for _ in range(3):
            assert state.running() is not None


def test_a_clean_end_keeps_everything(state: StateFolder) -> None:
    with state.held():
        state.announce(ENDPOINT)
        remember(state)
    with state.held():
        assert remembered(state) == {"emulator/sqs.json", "emulator/1.json", "work/draft", "git/HEAD"}


def test_an_end_by_an_error_is_clean_as_well(state: StateFolder) -> None:
    def work() -> None:
        with state.held():
            state.announce(ENDPOINT)
            remember(state)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    with state.held():
        assert "emulator/sqs.json" in remembered(state)


def test_after_a_kill_only_objects_and_mirrors_are_believed(state: StateFolder) -> None:
    remember(state)
    with held_elsewhere(state):
        pass
    with state.held():
        assert remembered(state) == {"emulator/1.json", "git/HEAD"}
        assert state.work.is_dir()


def test_the_cloud_of_a_killed_holder_is_not_taken_for_the_next_ones(state: StateFolder) -> None:
    with held_elsewhere(state):
        pass
    with held_elsewhere(state, endpoint=""):
        assert state.running() is None


def test_a_kill_before_the_announcement_keeps_what_nobody_has_used(state: StateFolder) -> None:
    remember(state)
    with held_elsewhere(state, endpoint=""):
        pass
    with state.held():
        assert "emulator/sqs.json" in remembered(state)


def test_the_folder_can_be_held_again_by_the_same_process(state: StateFolder) -> None:
    for _ in range(2):
        with state.held():
            assert state.answers.is_dir()


@pytest.mark.parametrize(
    ("repository", "stem"),
    [
        ("/home/ana/My Goals/", "my-goals"),
        ("https://git.example.org/ana/goals.git", "goals-git"),
        ("ssh://git.example.org/§", "goals"),
    ],
)
def test_each_repository_has_a_folder_of_its_own(
    repository: str, stem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = default_state(repository).root
    assert folder == default_state(repository).root
    assert folder.parent == tmp_path / "goalrunner"
    assert folder.name.rpartition("-")[0] == stem
    assert folder != default_state(repository + "2").root
