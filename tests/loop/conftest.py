"""Laptops for the tests of the whole loop."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from goalrunner_local.demo import SCRIPT, make_repository, scripted_model
from tests.loop.laptop import Laptop


@pytest.fixture(scope="session")
def model() -> Iterator[str]:
    """The scripted model of the demo; what it says depends on the request alone, so all tests share it."""
    with scripted_model(SCRIPT) as url:
        yield url


@pytest.fixture
def laptop(tmp_path: Path, model: str) -> Laptop:
    """The sample's goals and a fresh state folder."""
    return Laptop(make_repository(tmp_path / "goals.git"), tmp_path / "state", model)


@pytest.fixture
def make_laptop(tmp_path: Path, model: str) -> Callable[[str], Laptop]:
    """More than one of them."""

    def make(name: str) -> Laptop:
        folder = tmp_path / name
        folder.mkdir()
        return Laptop(make_repository(folder / "goals.git"), folder / "state", model)

    return make
