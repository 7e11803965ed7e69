import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The root of the project."""
    return ROOT


@pytest.fixture(scope="session")
def at_head() -> Callable[[str], Mapping[str, str]]:
    """The files below a folder as they were last committed; empty where there is no history to ask."""

    def read(folder: str) -> Mapping[str, str]:
        listed = _git("ls-tree", "-r", "-z", "--name-only", "HEAD", "--", folder)
        return {name: _git("show", f"HEAD:{name}") for name in listed.split("\0") if name}

    return read


def _git(*arguments: str) -> str:
    asked = subprocess.run(["git", "-C", ROOT, *arguments], capture_output=True, check=False, encoding="utf-8")
    return asked.stdout if asked.returncode == 0 else ""
