"""The shell of the service: its import, its settings, its manifest, its checkout."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from goalrunner_events import EVENTS, StepReadyV1
from goalrunner_executor.adapters.anthropic_model import AnthropicModel
from goalrunner_executor.adapters.checkout import ABANDONED, PREFIX, Checkout
from goalrunner_executor.bench import Bench
from goalrunner_executor.compose import engines_from, routes
from goalrunner_executor.settings import ExecutorSettings
from goalrunner_shared.errors import PermanentError
from goalrunner_shared.git.errors import ObjectMissing
from goalrunner_shared.git.fake import InMemoryRepository
from goalrunner_shared.manifest import read_manifest

MANIFEST = Path(__file__).parents[1] / "service.yaml"
BASE = {"GOALRUNNER_BUS": "b", "GOALRUNNER_BUCKET": "b", "GOALRUNNER_REPOSITORY": "r"}


def test_the_handlers_import_needs_none_of_the_heavy_libraries() -> None:
    heavy = ["boto3", "git", "anthropic", "genai_prices", "jsonschema"]
    code = f"import sys, goalrunner_executor.handler; print([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_manifest_hears_what_is_routed_and_says_what_is_an_event(tmp_path: Path) -> None:
    world = Bench(tmp_path, {})
    routed = routes(world.parts(), workspace=Checkout(world.repository, tmp_path), engines={})
    manifest = read_manifest(MANIFEST)
    assert set(manifest.functions["execute"].hears) == {name for name, event in EVENTS.items() if event in routed}
    assert set(manifest.says) <= set(EVENTS)
    assert StepReadyV1 in routed


@pytest.mark.parametrize(
    ("environment", "field", "value"),
    [
        ({}, "stop_before", 90.0),
        ({"GOALRUNNER_STOP_BEFORE": "5"}, "stop_before", 5.0),
        ({"GOALRUNNER_MODEL": "claude-opus-5-5"}, "model", "claude-opus-5-5"),
        ({"ANTHROPIC_API_KEY": "sk-ant-test-1"}, "anthropic_api_key", "sk-ant-test-1"),
        ({"GOALRUNNER_WORK": "/scratch"}, "work", "/scratch"),
    ],
)
def test_settings_come_from_their_variables(environment: Mapping[str, str], field: str, value: object) -> None:
    assert getattr(ExecutorSettings.load({**BASE, **environment}), field) == value


def test_the_key_is_not_shown(tmp_path: Path) -> None:
    settings = ExecutorSettings.load({**BASE, "ANTHROPIC_API_KEY": "sk-ant-test-1"})
    assert "sk-ant-test-1" not in repr(settings)
    assert set(engines_from(settings)) == {"command", "claude-api"}


def test_without_a_key_the_sentence_says_what_to_set() -> None:
    with pytest.raises(PermanentError, match="set ANTHROPIC_API_KEY"):
        AnthropicModel(api_key=None, base_url=None).create(timeout=1)


def test_a_commit_that_the_mirror_has_not_seen_is_fetched(tmp_path: Path) -> None:
    repository = InMemoryRepository({"a": b"1"})
    newer = repository.commit_elsewhere({"a": b"2"})
    with Checkout(repository, tmp_path).open(newer) as place:
        assert (place.repo / "a").read_bytes() == b"2"
        assert place.out.is_dir()


def test_a_commit_that_nobody_knows_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing), Checkout(InMemoryRepository({"a": b"1"}), tmp_path).open("0" * 40):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_tracked_link_named_out_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    target = str(tmp_path / "outside").encode()
    repository = InMemoryRepository({"out": target}, modes={"out": "120000"})
    with Checkout(repository, tmp_path / "work").open(repository.tip) as place:
        assert not place.out.is_symlink()
        (place.out / "x").write_text("x")
    assert list((tmp_path / "outside").iterdir()) == []


def test_what_a_killed_invocation_left_is_swept_away_later(tmp_path: Path) -> None:
    old, young = tmp_path / f"{PREFIX}old", tmp_path / f"{PREFIX}young"
    for folder in (old, young):
        (folder / "repo").mkdir(parents=True)
    long_ago = time.time() - ABANDONED - 60
    os.utime(old, (long_ago, long_ago))
    repository = InMemoryRepository({"a": b"1"})
    with Checkout(repository, tmp_path).open(repository.tip):
        assert not old.exists()
        assert young.exists()
