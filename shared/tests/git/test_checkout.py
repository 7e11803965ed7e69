from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from goalrunner_shared.git.errors import GitFailed
from goalrunner_shared.git.mirror import GitRepository

GitAt = Callable[..., str]
RepositoryAt = Callable[..., GitRepository]
CommitTo = Callable[[Path, Mapping[str, bytes]], str]


def test_a_checkout_has_its_history_and_no_way_back(
    bare: Path, git: GitAt, tmp_path: Path, commit_to: CommitTo, repository_at: RepositoryAt
) -> None:
    commit = commit_to(bare, {"goals/a.md": b"changed"})
    commit_to(bare, {"later": b""})
    repository = repository_at(bare)
    repository.fetch()
    target = tmp_path / "checkout"
    repository.checkout(commit, target)
    assert git(target, "log", "--format=%s").splitlines() == ["elsewhere", "first"]
    assert git(target, "status", "--porcelain") == ""
    assert git(target, "remote") == ""
    assert git(target, "config", "core.hooksPath") == "/dev/null"
    assert git(target, "for-each-ref") == ""
    assert git(target, "rev-parse", "--abbrev-ref", "HEAD") == "HEAD"
    assert git(target, "show", "HEAD~1:goals/a.md") == "a"
    assert list((target / ".git" / "objects").glob("??")) == []


def test_an_agent_may_commit_in_a_checkout_without_touching_the_mirror(
    bare: Path, git: GitAt, tmp_path: Path, repository_at: RepositoryAt
) -> None:
    repository = repository_at(bare)
    repository.checkout(repository.fetch(), tmp_path / "checkout")
    (tmp_path / "checkout" / "README.md").write_text("changed")
    git(tmp_path / "checkout", "commit", "-qam", "mine")
    mine = git(tmp_path / "checkout", "rev-parse", "HEAD")
    assert mine not in git(tmp_path / "state" / "mirror.git", "cat-file", "--batch-all-objects", "--batch-check")


def test_submodules_stay_empty_folders(bare: Path, git: GitAt, tmp_path: Path, repository_at: RepositoryAt) -> None:
    stream = b"commit refs/heads/main\ncommitter A <a@b> 1767225600 +0000\ndata 1\nx\nfrom refs/heads/main^0\n"
    stream += b"M 160000 %s sub\n" % (b"1" * 40)
    modules = b'[submodule "sub"]\n\tpath = sub\n\turl = ./nowhere.git\n'
    stream += b"M 100644 inline .gitmodules\ndata %d\n%s" % (len(modules), modules)
    git(bare, "fast-import", "--quiet", data=stream)
    repository = repository_at(bare)
    tip = repository.fetch()
    assert "sub" not in [entry.path for entry in repository.entries(tip)]
    repository.checkout(tip, tmp_path / "checkout")
    assert list((tmp_path / "checkout" / "sub").iterdir()) == []


def test_a_checkout_that_failed_leaves_nothing(bare: Path, tmp_path: Path, repository_at: RepositoryAt) -> None:
    repository = repository_at(bare)
    tip = repository.fetch()
    blob = next(iter(repository.entries(tip, "goals"))).blob
    path = tmp_path / "state" / "mirror.git" / "objects" / blob[:2] / blob[2:]
    path.chmod(0o644)
    path.write_bytes(b"garbage")
    with pytest.raises(GitFailed):
        repository.checkout(tip, tmp_path / "checkout")
    assert not (tmp_path / "checkout").exists()
    repository.fetch()
    repository.checkout(tip, tmp_path / "checkout")
    assert (tmp_path / "checkout" / "goals/a.md").read_bytes() == b"a\n"
