"""What the doctor says of a machine."""

import os
import subprocess
from pathlib import Path

import pytest

from goalrunner_local.doctor import Finding, examine
from goalrunner_local.state import StateFolder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that lacks nothing: an emulator's environment, a model key and a goals repository."""
    for name in ("AWS_ENDPOINT_URL", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test-not-a-key")
    monkeypatch.setenv("GOALRUNNER_EMULATOR_ENV", str(tmp_path / "emulator"))
    python = tmp_path / "emulator/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    repository = tmp_path / "goals"
    who = ["-c", "user.name=Ana", "-c", "user.email=ana@example.org"]
    subprocess.run(["git", "init", "-b", "main", str(repository)], check=True, capture_output=True)
    commit = ["git", "-C", str(repository), *who, "commit", "--allow-empty", "-m", "goals"]
    subprocess.run(commit, check=True, capture_output=True)
    return tmp_path


def look(machine: Path) -> list[Finding]:
    return examine(str(machine / "goals"), machine / "state")


def missing(machine: Path) -> list[str]:
    return [finding.text for finding in look(machine) if not finding.ok and not finding.optional]


def test_nothing_is_missing_where_all_is_there(machine: Path) -> None:
    assert missing(machine) == []


def test_the_repository_is_named_with_its_state_folder(machine: Path) -> None:
    last = look(machine)[-1]
    assert last == Finding(True, f"goals repository {machine / 'goals'}; state in {machine / 'state'}")


def test_whoever_holds_the_state_folder_is_named(machine: Path) -> None:
    state = StateFolder(machine / "state")
    with state.held():
        state.announce("http://127.0.0.1:4566")
        assert look(machine)[-1].text.endswith(f", in use by process {os.getpid()}")


def test_a_missing_emulator_is_missing_and_says_what_to_type(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOALRUNNER_EMULATOR_ENV", str(machine / "nowhere"))
    assert missing(machine) == [f"the AWS emulator is not installed at {machine / 'nowhere'}: type make setup"]


def test_no_emulator_is_needed_where_an_endpoint_is_named(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOALRUNNER_EMULATOR_ENV", str(machine / "nowhere"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566/")
    assert missing(machine) == []
    assert Finding(True, "AWS endpoint http://127.0.0.1:4566 (from AWS_ENDPOINT_URL)") in look(machine)


def test_a_missing_model_key_is_said_but_is_no_fault(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert missing(machine) == []
    [said] = [finding for finding in look(machine) if "model key" in finding.text]
    assert said.optional
    assert not said.ok
    assert said.text.endswith("export ANTHROPIC_API_KEY=…")


def test_the_model_key_itself_is_never_said(machine: Path) -> None:
    assert "sk-ant-test-not-a-key" not in repr(look(machine))


@pytest.mark.parametrize(
    ("version", "ok"), [("git version 2.29.9", False), ("git version 2.30.0", True), ("git version 2.9.1", False)]
)
def test_git_must_not_be_too_old(version: str, ok: bool, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Only --version is asked of this one; the rest goes to the real git.
    real = subprocess.run(["which", "git"], check=True, capture_output=True, text=True).stdout.strip()
    fake = machine / "bin/git"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "{version}" || exec {real} "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    assert (missing(machine) == []) is ok


def test_without_git_the_doctor_says_so_and_is_not_ill_itself(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(machine))
    assert missing(machine)[0] == "git is not on the PATH: install it, apt install git for instance"


def test_a_repository_that_cannot_be_used_is_missing_with_the_way_out(machine: Path) -> None:
    [problem] = [each.text for each in examine(str(machine / "nowhere"), None) if not each.ok and not each.optional]
    assert problem.startswith(f"{machine / 'nowhere'} does not exist: make it with git init --bare")
