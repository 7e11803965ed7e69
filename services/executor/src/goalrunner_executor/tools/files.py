"""The tools `read_file`, `write_file` and `list_files`: nothing outside the checkout, through no symbolic link."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from pydantic import Field

from goalrunner_executor.ports import Run
from goalrunner_executor.tools.process import Surroundings
from goalrunner_executor.tools.tool import Arguments, Tool, ToolFailed

MOST_BYTES = 64 * 1024
MOST_ENTRIES = 1000
LARGEST_FILE = 10 * 1024 * 1024


class ReadArguments(Arguments):
    """Which part of which file."""

    path: str = Field(min_length=1, description="Relative to the working folder.")
    first_line: int = Field(default=1, ge=1, description="The line to begin at.")


class WriteArguments(Arguments):
    """A whole file."""

    path: str = Field(min_length=1, description="Relative to the working folder; below out/ it becomes an artefact.")
    content: str = Field(description="The whole new content.")


class ListArguments(Arguments):
    """A folder."""

    path: str = Field(default=".", min_length=1, description="A folder, relative to the working folder.")


def file_tools(run: Run, surroundings: Surroundings) -> tuple[Tool, ...]:
    """What the goal's `tools: [files]` gives."""
    root = run.place.repo
    return (
        Tool("read_file", "Read a text file.", ReadArguments, partial(_read, root=root)),
        Tool("write_file", "Write a text file; it replaces what is there.", WriteArguments, partial(_write, root=root)),
        Tool("list_files", "List the files below a folder.", ListArguments, partial(_list, root=root)),
    )


def confined(root: Path, path: str) -> Path:
    """The real place of `path`, which lies below `root` after every link is followed; ToolFailed."""
    try:
        found = (root / path).resolve()
        inside = found.relative_to(root.resolve())
    except (ValueError, OSError, RuntimeError) as error:
        raise ToolFailed(f"{path!r} is outside the working folder") from error
    if any(part.lower() == ".git" for part in inside.parts):
        raise ToolFailed(f"{path!r} belongs to git")
    return found


def _read(arguments: ReadArguments, *, root: Path) -> str:
    with _opened(confined(root, arguments.path), os.O_RDONLY, arguments.path) as file:
        whole = os.read(file, LARGEST_FILE)
    raw = b"".join(whole.splitlines(keepends=True)[arguments.first_line - 1 :])
    shown = raw[:MOST_BYTES].decode("utf-8", "replace")
    left = len(raw) - MOST_BYTES
    return f"{shown}\n[… {left} bytes more; read on with first_line]" if left > 0 else shown


def _write(arguments: WriteArguments, *, root: Path) -> str:
    target = confined(root, arguments.path)
    content = arguments.content.encode("utf-8", "replace")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolFailed(f"{arguments.path!r}: {error.strerror}") from error
    with _opened(target, os.O_WRONLY | os.O_CREAT, arguments.path) as file:
        os.ftruncate(file, 0)
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(file, rest) :]
    return f"{len(content)} bytes written to {arguments.path}"


def _list(arguments: ListArguments, *, root: Path) -> str:
    folder = confined(root, arguments.path)
    if not folder.is_dir():
        raise ToolFailed(f"{arguments.path!r} is not a folder")
    found: list[str] = []
    for path in _walk(folder):
        if len(found) == MOST_ENTRIES:
            found.append(f"[… more than {MOST_ENTRIES}; list a smaller folder]")
            break
        found.append(path.relative_to(root.resolve()).as_posix())
    return "\n".join(found) or "[no files]"


def _walk(folder: Path) -> Iterator[Path]:
    for name, folders, files in os.walk(folder):
        folders[:] = sorted(each for each in folders if each != ".git")
        for file in sorted(files):
            yield Path(name) / file


@contextmanager
def _opened(path: Path, flags: int, shown: str) -> Iterator[int]:
    """A regular file's descriptor, whatever may have been put in its place; ToolFailed."""
    try:
        file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    except (OSError, ValueError) as error:
        raise ToolFailed(f"{shown!r}: {getattr(error, 'strerror', None) or error}") from error
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise ToolFailed(f"{shown!r} is not a regular file")
        yield file
    finally:
        os.close(file)
