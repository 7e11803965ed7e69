from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goalrunner_shared.git.mirror import GitRepository
from goalrunner_shared.git.port import CommitDraft, PushRefused

GitAt = Callable[..., str]
RepositoryAt = Callable[..., GitRepository]


def report(tip: str) -> Sequence[CommitDraft]:
    files = {"goals/a.md": b"reported", "attempts/a/1.md": b"attempt"}
    return [CommitDraft(key="k", subject="Report", files=files, at=datetime.now(UTC))]


@pytest.mark.parametrize("address", ["{}", "file://{}"])
def test_a_push_updates_the_files_and_not_the_configuration(
    worktree: Path, git: GitAt, repository_at: RepositoryAt, address: str
) -> None:
    configuration = (worktree / ".git/config").read_bytes()
    done = repository_at(address.format(worktree)).write(report)
    assert (worktree / "goals/a.md").read_bytes() == b"reported"
    assert (worktree / "attempts/a/1.md").read_bytes() == b"attempt"
    assert git(worktree, "status", "--porcelain") == ""
    assert git(worktree, "rev-parse", "main") == done["k"]
    assert (worktree / ".git/config").read_bytes() == configuration


@pytest.mark.parametrize("staged", [False, True])
def test_a_dirty_work_tree_is_refused_with_what_to_do(
    worktree: Path, git: GitAt, repository_at: RepositoryAt, staged: bool
) -> None:
    tip = git(worktree, "rev-parse", "main")
    (worktree / "README.md").write_text("mine")
    if staged:
        git(worktree, "add", ".")
    repository = repository_at(worktree)
    with pytest.raises(PushRefused, match=f"commit or stash first: git -C {worktree} status") as caught:
        repository.write(report)
    assert "\n" not in str(caught.value)
    assert git(worktree, "rev-parse", "main") == tip
    assert (worktree / "README.md").read_text() == "mine"
    git(worktree, "commit", "-qam", "mine")
    repository.write(report)
    assert (worktree / "README.md").read_text() == "mine"
    assert (worktree / "goals/a.md").read_bytes() == b"reported"


def test_files_that_git_does_not_track_are_left_alone(worktree: Path, repository_at: RepositoryAt) -> None:
    (worktree / "notes.txt").write_text("mine")
    repository_at(worktree).write(report)
    assert (worktree / "notes.txt").read_text() == "mine"


def test_an_untracked_file_in_the_way_is_not_overwritten(worktree: Path, repository_at: RepositoryAt) -> None:
    (worktree / "attempts/a").mkdir(parents=True)
    (worktree / "attempts/a/1.md").write_text("mine")
    with pytest.raises(PushRefused):
        repository_at(worktree).write(report)
    assert (worktree / "attempts/a/1.md").read_text() == "mine"


def test_a_branch_that_is_not_checked_out_moves_without_touching_files(
    worktree: Path, git: GitAt, repository_at: RepositoryAt
) -> None:
    git(worktree, "switch", "-qc", "feature")
    (worktree / "README.md").write_text("mine")
    done = repository_at(worktree, branch="main").write(report)
    assert git(worktree, "rev-parse", "main") == done["k"]
    assert (worktree / "goals/a.md").read_bytes() == b"a\n"


def test_a_commit_in_the_work_tree_between_fetch_and_push_is_kept(
    worktree: Path, git: GitAt, repository_at: RepositoryAt
) -> None:
    seen: list[bytes | None] = []
    repository = repository_at(worktree)
    repository.fetch()

    def build(tip: str) -> Sequence[CommitDraft]:
        if not seen:
            (worktree / "goals/a.md").write_text("mine")
            git(worktree, "commit", "-qam", "mine")
        seen.append(repository.file(tip, "goals/a.md"))
        return report(tip)

    repository.write(build)
    assert seen == [b"a\n", b"mine"]
    assert git(worktree, "log", "--format=%s").splitlines() == ["Report", "mine", "first"]


def test_a_relative_address_is_understood_from_everywhere(
    worktree: Path, repository_at: RepositoryAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(worktree.parent)
    repository = repository_at("./worktree")
    monkeypatch.chdir("/")
    assert repository.write(report)
