import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from goalrunner_shared.git.mirror import GitRepository
from goalrunner_shared.git.port import CommitDraft

GitAt = Callable[..., str]
RepositoryAt = Callable[..., GitRepository]
CommitTo = Callable[[Path, Mapping[str, bytes]], str]
WRITER = Path(__file__).parent / "writer.py"


def start(remote: Path, mirror: Path, name: str, count: int) -> "subprocess.Popen[bytes]":
    arguments = [sys.executable, str(WRITER), str(remote), str(mirror), name, str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended_well(process: "subprocess.Popen[bytes]") -> list[str]:
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err.decode()
    return out.decode().split()


@pytest.mark.parametrize("mirrors", [["one"] * 4, ["one", "one", "two", "three"]], ids=["shared", "own"])
def test_four_processes_lose_no_write_and_leave_one_line_of_history(
    bare: Path, git: GitAt, tmp_path: Path, mirrors: list[str]
) -> None:
    first = git(bare, "rev-parse", "main")
    writers = [start(bare, tmp_path / mirror, f"w{n}", 10) for n, mirror in enumerate(mirrors)]
    commits = [commit for writer in writers for commit in ended_well(writer)]
    assert sorted([*commits, first]) == sorted(git(bare, "rev-list", "main").split())
    assert git(bare, "show", "main:tally") == "40"
    assert len(git(bare, "ls-tree", "-r", "--name-only", "main", "attempts/").splitlines()) == 40
    assert git(bare, "rev-list", "--min-parents=2", "main") == ""
    assert git(bare, "fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("commits", range(6))
def test_a_writer_killed_at_any_moment_hinders_nobody(bare: Path, git: GitAt, tmp_path: Path, commits: int) -> None:
    """Its git children may live on for a moment; the next process does the same work and what is left of it."""
    mirror = tmp_path / "mirror.git"
    for pause in (0, 1, 2):
        writer = start(bare, mirror, "w", 100)
        assert writer.stdout is not None
        for _ in range(commits + pause):
            writer.stdout.readline()
        writer.kill()
        writer.communicate()
    ended_well(start(bare, mirror, "w", 20))
    attempts = git(bare, "ls-tree", "-r", "--name-only", "main", "attempts/").splitlines()
    assert len(attempts) == int(git(bare, "show", "main:tally")) >= 20
    assert len(attempts) == int(git(bare, "rev-list", "--count", "main")) - 1
    assert git(bare, "fsck", "--strict", "--no-dangling") == ""


def test_locks_that_a_killed_git_left_are_cleared(bare: Path, tmp_path: Path, repository_at: RepositoryAt) -> None:
    repository = repository_at(bare)
    repository.fetch()
    mirror = tmp_path / "state" / "mirror.git"
    for lock in ("packed-refs.lock", "HEAD.lock", "refs/goals/main.lock", "refs/drafts/last.lock", "shallow.lock"):
        (mirror / lock).parent.mkdir(exist_ok=True)
        (mirror / lock).touch()
    ended_well(start(bare, mirror, "w", 1))
    assert list(mirror.rglob("*.lock")) == []


def test_what_a_killed_start_left_is_swept(bare: Path, tmp_path: Path, repository_at: RepositoryAt) -> None:
    left = tmp_path / "state" / ".mirror.git.abc.tmp"
    (left / "refs").mkdir(parents=True)
    repository_at(bare).fetch()
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["mirror.git", "mirror.git.lock"]


def test_a_build_may_fetch_while_it_holds_the_mirror(
    bare: Path, commit_to: CommitTo, repository_at: RepositoryAt
) -> None:
    repository = repository_at(bare)
    fetched: list[str] = []

    def build(tip: str) -> list[CommitDraft]:
        fetched.append(commit_to(bare, {"theirs": b""}))
        assert repository.fetch() == fetched[-1]
        return []

    assert repository.write(build) == {}
    assert len(fetched) == 1


def test_importing_the_adapter_does_not_import_gitpython() -> None:
    modules = ["mirror", "remote", "fake", "checkout"]
    code = "; ".join(f"import goalrunner_shared.git.{name}" for name in modules)
    code += "; import sys; assert 'git' not in sys.modules and 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
