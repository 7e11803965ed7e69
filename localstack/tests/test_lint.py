"""Goal files checked where they lie."""

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from goalrunner_local.lint import lint_path
from goalrunner_shared.errors import InputError

BROKEN = Path(__file__).parents[2] / "shared/tests/goals/broken_goals.json"
CASES: list[dict[str, Any]] = json.loads(BROKEN.read_text("utf-8"))["goals"]
GOAL = "---\nid: {id}\ntitle: A title\n{more}---\n## Outcome\nSomething.\n"


def content_of(case: dict[str, Any]) -> bytes:
    if "base64" in case:
        return b64decode(case["base64"])
    return "".join(text * times for text, times in case.get("parts", [[case.get("content"), 1]])).encode("utf-8")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "goals").mkdir()
    return tmp_path


def write(repository: Path, name: str, more: str = "") -> Path:
    path = repository / "goals" / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(GOAL.format(id=path.stem, more=more))
    return path


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_broken_goal_file_is_named_with_its_line(case: dict[str, Any], repository: Path) -> None:
    path = repository / case["path"]
    path.write_bytes(content_of(case))
    for looked_at in (path, repository):
        [problem], checked = lint_path(looked_at)
        assert problem.startswith(f"{case['path']}:{case['line']}: ")
        assert case["fragment"] in problem
        assert checked == 1


def test_all_broken_goals_are_named_together_in_the_order_of_their_paths(repository: Path) -> None:
    for case in CASES:
        (repository / case["path"]).write_bytes(content_of(case))
    problems, checked = lint_path(repository)
    assert checked == len(CASES)
    assert [problem.partition(":")[0] for problem in problems] == sorted(case["path"] for case in CASES)


def test_a_good_repository_has_no_problems(repository: Path) -> None:
    write(repository, "roof")
    write(repository, "home/house", more="depends_on: [roof]\n")
    assert lint_path(repository) == ([], 2)
    assert lint_path(repository / "goals/home") == ([], 1)
    assert lint_path(repository / "goals/roof.md") == ([], 1)


def test_the_sample_is_as_broken_as_it_is_meant_to_be() -> None:
    problems, checked = lint_path(Path(__file__).parents[1] / "sample")
    assert len(problems) == 1
    assert checked == 6


def test_a_file_is_checked_against_the_other_goals(repository: Path) -> None:
    house = write(repository, "house", more="depends_on: [roof]\n")
    write(repository, "other", more="depends_on: [nobody]\n")
    [problem], checked = lint_path(house)
    assert problem.startswith("goals/house.md:4: ")
    assert checked == 1


def test_a_goal_that_waits_for_a_broken_one_is_not_blamed(repository: Path) -> None:
    write(repository, "house", more="depends_on: [roof]\n")
    write(repository, "roof", more="priorty: 1\n")
    problems, _ = lint_path(repository)
    assert [problem.partition(":")[0] for problem in problems] == ["goals/roof.md"]


def test_broken_defaults_are_named_whatever_is_looked_at(repository: Path) -> None:
    roof = write(repository, "roof")
    (repository / "goalrunner.yaml").write_text("agnet: {}\n")
    for looked_at in (repository, roof):
        [problem], _ = lint_path(looked_at)
        assert problem.startswith("goalrunner.yaml:1: ")


def test_a_link_is_refused_whatever_it_leads_to(repository: Path) -> None:
    (repository / "roof.md").write_text(GOAL.format(id="roof", more=""))
    link = repository / "goals/roof.md"
    link.symlink_to("../roof.md")
    (repository / "goals/nowhere.md").symlink_to("missing")
    [problem], _ = lint_path(link)
    assert problem.startswith("goals/roof.md:1: the file is a symbolic link")
    assert len(lint_path(repository)[0]) == 2


def test_a_folder_that_is_called_like_a_file_is_no_goal(repository: Path) -> None:
    write(repository, "notes.md/roof")
    assert lint_path(repository) == ([], 1)


@pytest.mark.parametrize("path", [".", "goals", "goals/..", "goals/home/..", "../{name}"])
def test_every_way_to_name_a_folder_finds_the_same(
    path: str, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(repository, "home/roof", more="priorty: 1\n")
    monkeypatch.chdir(repository)
    problems, checked = lint_path(Path(path.format(name=repository.name)))
    assert (len(problems), checked) == (1, 1)


def test_a_missing_path_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        lint_path(tmp_path / "nowhere")
    assert str(caught.value) == f"{tmp_path / 'nowhere'} does not exist: name a goal file or a goals repository"


def test_a_folder_without_goals_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"no goals folder at or above {tmp_path}: put your goal files into goals/"):
        lint_path(tmp_path)


@pytest.mark.parametrize("name", ["README.md", "goals/notes.txt"])
def test_a_file_that_is_no_goal_is_not_called_valid(name: str, repository: Path) -> None:
    (repository / name).write_text("text")
    with pytest.raises(InputError, match="is no goal file: goal files are Markdown files below goals/"):
        lint_path(repository / name)


def test_linting_reads_and_changes_nothing_else(repository: Path) -> None:
    write(repository, "roof")
    before = {path: path.stat().st_mtime_ns for path in repository.rglob("*")}
    lint_path(repository)
    assert {path: path.stat().st_mtime_ns for path in repository.rglob("*")} == before
