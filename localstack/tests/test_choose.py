"""Which repository and which state folder a command is about."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from goalrunner_local.choose import choose
from goalrunner_shared.errors import InputError

Git = Callable[..., None]
ROOF = "---\nid: {id}\ntitle: The roof\n---\n## Outcome\nIt holds.\n"


@pytest.fixture
def git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Git:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "remembered"))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ana")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ana@example.org")

    def run(folder: Path, *words: str) -> None:
        subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True)

    return run


@pytest.fixture
def work_tree(tmp_path: Path, git: Git) -> Path:
    """A work tree with the valid goal `roof` and the broken one `shelf`."""
    folder = tmp_path / "work"
    (folder / "goals").mkdir(parents=True)
    (folder / "goals/roof.md").write_text(ROOF.format(id="roof"))
    (folder / "goals/shelf.md").write_text(ROOF.format(id="other"))
    git(folder, "init", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "goals")
    return folder


def test_the_current_repository_is_the_default(work_tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(work_tree / "goals")
    assert choose(None, None) == choose(str(work_tree), None)


def test_each_repository_is_remembered_in_a_folder_of_its_own(work_tree: Path, tmp_path: Path) -> None:
    root = choose(str(work_tree), None).state.root
    assert root.parent == tmp_path / "remembered/goalrunner"
    assert root.name.startswith("work-")


def test_a_state_folder_that_is_named_is_taken(
    work_tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert choose(str(work_tree), Path("here")).state.root == tmp_path / "here"


def test_a_url_is_taken_as_it_is() -> None:
    assert choose("https://git.example.org/goals.git", Path("/s")).repository == "https://git.example.org/goals.git"


def test_a_folder_that_does_not_exist_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{tmp_path}/nowhere does not exist: make it with git init --bare"):
        choose(str(tmp_path / "nowhere"), None)


def test_a_folder_without_git_is_one_sentence(tmp_path: Path, git: Git) -> None:
    with pytest.raises(InputError, match=f"{tmp_path} is not a git repository .*: git -C {tmp_path} init"):
        choose(str(tmp_path), None)


def test_a_dirty_work_tree_can_be_read_but_not_written_to(work_tree: Path) -> None:
    (work_tree / "goals/roof.md").write_text("changed")
    assert choose(str(work_tree), None).repository == str(work_tree)
    with pytest.raises(InputError, match="has uncommitted changes: commit or stash first"):
        choose(str(work_tree), None, for_writing=True)


def test_a_repository_without_a_commit_is_not_written_to(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "--bare", "-b", "main", "goals.git")
    with pytest.raises(InputError, match="has no commit on main yet: commit the goals there first"):
        choose(str(tmp_path / "goals.git"), None, for_writing=True)


def test_a_goal_is_found_by_its_id(work_tree: Path) -> None:
    assert choose(str(work_tree), None).require_goal("roof").goal.title == "The roof"


def test_a_goal_that_is_not_there_is_guessed_at(work_tree: Path) -> None:
    with pytest.raises(InputError, match=r"there is no goal rof in .*: did you mean .*roof.*\?"):
        choose(str(work_tree), None).require_goal("rof")


def test_a_goal_that_nothing_resembles_points_to_the_list(work_tree: Path) -> None:
    with pytest.raises(InputError, match=r"there is no goal zzzzzz in .*: goalrunner status lists them"):
        choose(str(work_tree), None).require_goal("zzzzzz")


def test_an_invalid_goal_is_named_with_its_line(work_tree: Path) -> None:
    with pytest.raises(InputError, match=r"goals/shelf\.md:2: "):
        choose(str(work_tree), None).require_goal("shelf")
