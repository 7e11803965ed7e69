import re
from collections.abc import Callable
from pathlib import Path

import pytest

from goalrunner_shared.errors import InputError
from goalrunner_shared.git.remote import Remote, describe_remote, look_at_remote

GitAt = Callable[..., str]


@pytest.mark.parametrize(
    "address",
    ["https://host/goals.git", "ssh://git@host/goals.git", "git@host:team/goals.git", "codecommit::eu://goals"],
)
def test_an_address_elsewhere_is_a_url(address: str) -> None:
    assert describe_remote(address) == Remote(kind="url", address=address)


def test_a_bare_repository_is_described(bare: Path) -> None:
    expected = Remote(kind="bare", address=str(bare), path=bare, branch="main")
    assert describe_remote(str(bare)) == describe_remote(f"file://{bare}") == expected


def test_a_work_tree_is_described_from_any_of_its_folders(worktree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = Remote(kind="worktree", address=str(worktree), path=worktree, branch="main")
    assert describe_remote(str(worktree)) == describe_remote(str(worktree / "goals" / "deep")) == expected
    monkeypatch.chdir(worktree)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    assert describe_remote(".") == expected


def test_a_path_with_a_colon_is_still_a_path(worktree: Path) -> None:
    odd = worktree.parent / "odd:name"
    worktree.rename(odd)
    assert describe_remote(str(odd)).path == odd


def test_a_linked_work_tree_is_a_work_tree(worktree: Path, git: GitAt) -> None:
    git(worktree, "worktree", "add", "-q", "-b", "side", "../linked")
    assert describe_remote(str(worktree.parent / "linked")).branch == "side"


def test_files_that_git_does_not_track_are_not_dirt(worktree: Path) -> None:
    (worktree / "notes").write_text("")
    assert describe_remote(str(worktree)).clean


def test_a_dirty_work_tree_says_what_to_type(worktree: Path) -> None:
    (worktree / "README.md").write_text("changed")
    sentence = f"{worktree} has uncommitted changes: commit or stash first: git -C {worktree} status"
    with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
        describe_remote(str(worktree))
    assert look_at_remote(str(worktree)).clean is False


@pytest.mark.parametrize("options", [[], ["--bare"]])
def test_an_empty_repository_says_what_to_do(tmp_path: Path, git: GitAt, options: list[str]) -> None:
    git(tmp_path, "init", "-q", *options, "empty")
    with pytest.raises(InputError, match="empty has no commit on main yet: commit the goals there first"):
        describe_remote(str(tmp_path / "empty"))
    assert look_at_remote(str(tmp_path / "empty")).empty


def test_a_detached_head_says_what_to_type(worktree: Path, git: GitAt) -> None:
    git(worktree, "checkout", "-q", "--detach")
    with pytest.raises(InputError, match=f"is on no branch: git -C {worktree} switch BRANCH"):
        describe_remote(str(worktree))


def test_a_missing_path_and_a_plain_folder_say_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path}/none.git does not exist: make it with git init --bare"):
        describe_remote(str(tmp_path / "none.git"))
    with pytest.raises(InputError, match=f"{tmp_path} is not a git repository"):
        describe_remote(str(tmp_path))
    with pytest.raises(InputError, match="does not exist"):
        describe_remote(f"file://{tmp_path}/none.git")


def test_the_inside_of_a_git_folder_is_no_work_tree(worktree: Path) -> None:
    with pytest.raises(InputError, match=r"lies inside a \.git folder"):
        describe_remote(str(worktree / ".git"))


def test_every_sentence_is_one_line(worktree: Path, tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    for repo in (tmp_path / "none", tmp_path / "plain", worktree / ".git"):
        with pytest.raises(InputError) as caught:
            describe_remote(str(repo))
        assert "\n" not in str(caught.value)
