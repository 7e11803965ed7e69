"""The zip of each service."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from goalrunner_local.build import build_zip
from goalrunner_shared.manifest import Manifest, read_manifests

ROOT = Path(__file__).parents[2]
SERVICES = ("executor", "notifier", "planner", "reporter", "scanner")
NAMES = """
import json, sys
from pathlib import Path
from goalrunner_local.build import build_zip
print(json.dumps({service: str(build_zip(service, folder=Path(sys.argv[1]))) for service in sys.argv[2:]}))
"""

LOAD = """
import sys
from importlib import import_module
sys.path.insert(0, sys.argv[1])
import boto3
for handler in sys.argv[2:]:
    module, _, name = handler.rpartition(".")
    print(callable(getattr(import_module(module), name)))
"""

Build = Callable[..., dict[str, Path]]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the sources that a test may change, with locks that name no dependency."""
    folder = tmp_path / "checkout"
    ignore = shutil.ignore_patterns("__pycache__")
    for source in (*ROOT.glob("services/*/src"), *(ROOT / name / "src" for name in ("events", "shared", "localstack"))):
        shutil.copytree(source, folder / source.relative_to(ROOT), ignore=ignore)
    for service in SERVICES:
        (folder / f"services/{service}/requirements.txt").touch()
    return folder


@pytest.fixture
def build(checkout: Path) -> Build:
    """build(folder, *services): the zips, made by the copy."""
    path = os.pathsep.join(str(source) for source in checkout.rglob("src"))

    def run(folder: Path, *services: str) -> dict[str, Path]:
        command = [sys.executable, "-c", NAMES, str(folder), *services]
        environment = os.environ | {"PYTHONPATH": path}
        ended = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return {service: Path(path) for service, path in json.loads(ended.stdout).items()}

    return run


def append(path: Path) -> None:
    with path.open("a") as file:
        file.write("# changed\n")


def members(zipped: Path) -> set[str]:
    with zipfile.ZipFile(zipped) as archive:
        return set(archive.namelist())


def test_the_same_sources_give_the_same_bytes(build: Build, checkout: Path, tmp_path: Path) -> None:
    first = build(tmp_path / "first", "planner")["planner"]
    for path in checkout.rglob("*.py"):
        os.utime(path, (0, 0))
    second = build(tmp_path / "second", "planner")["planner"]
    assert first.name == second.name
    assert first.read_bytes() == second.read_bytes()


def test_a_service_gets_its_own_code_and_nothing_of_another(build: Build, tmp_path: Path) -> None:
    packages = {name.partition("/")[0] for name in members(build(tmp_path / "zips", "planner")["planner"])}
    assert packages == {"goalrunner_events", "goalrunner_shared", "goalrunner_planner"}


def test_byte_code_stays_out(build: Build, checkout: Path, tmp_path: Path) -> None:
    source = checkout / "services/planner/src/goalrunner_planner"
    (source / "__pycache__").mkdir(exist_ok=True)
    (source / "__pycache__/handler.cpython-311.pyc").write_bytes(b"\0")
    assert not [name for name in members(build(tmp_path / "zips", "planner")["planner"]) if "__pycache__" in name]


def test_a_change_in_one_service_changes_only_its_zip(build: Build, checkout: Path, tmp_path: Path) -> None:
    before = build(tmp_path / "zips", *SERVICES)
    append(checkout / "services/planner/src/goalrunner_planner/domain.py")
    after = build(tmp_path / "zips", *SERVICES)
    assert {service for service in SERVICES if before[service] != after[service]} == {"planner"}


@pytest.mark.parametrize("changed", ["events/src/goalrunner_events/base.py", "shared/src/goalrunner_shared/clock.py"])
def test_a_change_in_what_all_share_changes_every_zip(
    changed: str, build: Build, checkout: Path, tmp_path: Path
) -> None:
    before = build(tmp_path / "zips", "planner", "reporter")
    append(checkout / changed)
    after = build(tmp_path / "zips", "planner", "reporter")
    assert not set(before.values()) & set(after.values())


def test_a_change_in_the_lock_changes_the_zip(build: Build, checkout: Path, tmp_path: Path) -> None:
    before = build(tmp_path / "zips", "planner", "reporter")
    append(checkout / "services/planner/requirements.txt")
    after = build(tmp_path / "zips", "planner", "reporter")
    assert (before["planner"] == after["planner"], before["reporter"] == after["reporter"]) == (False, True)


def test_a_zip_that_is_there_is_not_built_again(build: Build, tmp_path: Path) -> None:
    made = build(tmp_path / "zips", "planner")["planner"]
    made.write_bytes(b"as it was")
    assert build(tmp_path / "zips", "planner")["planner"].read_bytes() == b"as it was"
    assert list(made.parent.iterdir()) == [made]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("manifest", read_manifests(ROOT / "services"), ids=lambda manifest: manifest.service)
def test_a_built_service_runs_from_its_zip_alone(manifest: Manifest, tmp_path: Path) -> None:
    made = build_zip(manifest.service, folder=tmp_path / "zips")
    with zipfile.ZipFile(made) as archive:
        archive.extractall(tmp_path / "task")
    handlers = [function.handler for function in manifest.functions.values()]
    command = [sys.executable, "-I", "-S", "-c", LOAD, str(tmp_path / "task"), *handlers]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (ended.stderr, ended.stdout.split()) == ("", ["True"] * len(handlers))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_real_dependencies_give_the_same_bytes_too(tmp_path: Path) -> None:
    first, second = (build_zip("planner", folder=tmp_path / name) for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
