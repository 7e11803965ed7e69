"""The file tools: what they do, and that they stay inside."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from goalrunner_executor.tools.files import MOST_BYTES, confined, file_tools
from goalrunner_executor.tools.tool import ToolFailed

Use = Callable[..., str]


class _Place:
    def __init__(self, root: Path) -> None:
        self.repo = root


class _Run:
    def __init__(self, root: Path) -> None:
        self.place = _Place(root)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "repo"
    (root / "notes").mkdir(parents=True)
    (root / ".git").mkdir()
    (root / "notes/a.md").write_text("one\ntwo\nthree\n")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "folder").symlink_to(tmp_path)
    return root


@pytest.fixture
def use(root: Path, surroundings: Any) -> Use:
    run: Any = _Run(root)
    tools = {tool.name: tool for tool in file_tools(run, surroundings)}
    return lambda name, **values: tools[name].call(values)


def test_a_file_is_read_from_a_line_on(use: Use) -> None:
    assert use("read_file", path="notes/a.md") == "one\ntwo\nthree\n"
    assert use("read_file", path="notes/a.md", first_line=3) == "three\n"


def test_a_long_file_says_that_there_is_more(use: Use, root: Path) -> None:
    (root / "long").write_text("x" * (MOST_BYTES + 5))
    assert use("read_file", path="long").endswith("[… 5 bytes more; read on with first_line]")


def test_a_file_is_written_with_its_folders_and_replaced(use: Use, root: Path) -> None:
    use("write_file", path="out/deep/b.md", content="longer text")
    use("write_file", path="out/deep/b.md", content="é")
    assert (root / "out/deep/b.md").read_text() == "é"


def test_a_folder_is_listed_without_gits_own(use: Use) -> None:
    assert use("list_files").splitlines() == ["link", "notes/a.md"]
    assert use("list_files", path="notes") == "notes/a.md"


OUTSIDE: Sequence[str] = (
    "../secret",
    "link",
    "folder/secret",
    "/etc/passwd",
    "notes/../../secret",
    ".git/config",
    ".GIT/hooks/x",
)


@pytest.mark.parametrize("path", OUTSIDE)
@pytest.mark.parametrize("name", ["read_file", "write_file"])
def test_nothing_outside_is_reached(use: Use, path: str, name: str, root: Path) -> None:
    values = {"content": "overwritten"} if name == "write_file" else {}
    with pytest.raises(ToolFailed):
        use(name, path=path, **values)
    assert (root.parent / "secret").read_text() == "secret"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("read_file", {"path": "notes"}),
        ("read_file", {"path": "missing"}),
        ("read_file", {"path": "nul\0"}),
        ("read_file", {"path": "x", "first_line": 0}),
        ("read_file", {}),
        ("write_file", {"path": "notes/a.md/b", "content": ""}),
        ("write_file", {"path": "a" * 300, "content": ""}),
        ("list_files", {"path": "notes/a.md"}),
        ("list_files", {"unknown": 1}),
    ],
)
def test_what_cannot_be_done_is_an_error_for_the_model(use: Use, name: str, values: dict[str, Any]) -> None:
    with pytest.raises(ToolFailed):
        use(name, **values)


def test_a_pipe_does_not_hang_it(use: Use, root: Path) -> None:
    os.mkfifo(root / "pipe")
    with pytest.raises(ToolFailed):
        use("read_file", path="pipe")
    with pytest.raises(ToolFailed):
        use("write_file", path="pipe", content="x")


def test_a_circle_of_links_is_outside(root: Path) -> None:
    (root / "circle").symlink_to("circle")
    with pytest.raises(ToolFailed):
        confined(root, "circle/x")
