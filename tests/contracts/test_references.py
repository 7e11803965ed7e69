from collections.abc import Iterator
from pathlib import Path

import pytest

from goalrunner_events import EVENTS, Event
from goalrunner_events.docs import main as docs
from goalrunner_shared.manifest import Manifest, read_manifests

# What only the journal hears: records for the human, which no service has to act on.
JOURNAL_ONLY = {"attempt.planned.v1", "notification.failed.v1", "notification.sent.v1", "scan.completed.v1"}


@pytest.fixture(scope="module")
def manifests(root: Path) -> tuple[Manifest, ...]:
    return read_manifests(root / "services")


def produced(manifests: tuple[Manifest, ...]) -> Iterator[str]:
    for manifest in manifests:
        yield from manifest.says
        yield from (schedule.says for schedule in manifest.schedules.values())


def heard(manifests: tuple[Manifest, ...]) -> Iterator[str]:
    for manifest in manifests:
        for function in manifest.functions.values():
            yield from JOURNAL_ONLY if function.hears == "all" else function.hears


def test_there_is_a_manifest_for_each_service_named_like_its_folder(root: Path) -> None:
    folders = {path.name for path in (root / "services").iterdir() if (path / "pyproject.toml").is_file()}
    assert {manifest.service for manifest in read_manifests(root / "services")} == folders


def test_every_event_class_that_there_is_stands_in_the_list() -> None:
    classes = [event for event in Event.__subclasses__() if event.__module__.startswith("goalrunner_events.")]
    assert {event.TYPE: event for event in classes} == EVENTS


def test_every_event_has_a_schema_and_every_schema_an_event(root: Path) -> None:
    assert {path.stem for path in (root / "events" / "schemas").iterdir()} == set(EVENTS)


def test_every_event_has_an_example_and_every_example_an_event(root: Path) -> None:
    folders = list((root / "events" / "examples").iterdir())
    assert {folder.name for folder in folders} == set(EVENTS)
    assert all(any(folder.glob("*.json")) for folder in folders)


def test_every_event_has_a_producer(manifests: tuple[Manifest, ...]) -> None:
    assert set(EVENTS) - set(produced(manifests)) == set()


def test_every_event_has_a_consumer(manifests: tuple[Manifest, ...]) -> None:
    assert set(EVENTS) - set(heard(manifests)) == set()


def test_the_manifests_name_only_events_that_there_are(manifests: tuple[Manifest, ...]) -> None:
    assert {*produced(manifests), *heard(manifests)} - set(EVENTS) == set()


def test_a_service_says_only_events_of_its_own_source(manifests: tuple[Manifest, ...]) -> None:
    for manifest in manifests:
        assert {EVENTS[name].SOURCE for name in manifest.says} <= {f"goalrunner.{manifest.service}"}, manifest.service


def test_who_hears_or_says_events_may_use_the_bucket_for_big_ones(manifests: tuple[Manifest, ...]) -> None:
    for manifest in manifests:
        if any(function.hears for function in manifest.functions.values()):
            assert "events/" in manifest.needs.bucket.read, manifest.service
        if manifest.says:
            assert "events/" in manifest.needs.bucket.write, manifest.service


def test_the_page_of_the_events_is_what_models_and_manifests_say(root: Path) -> None:
    assert docs(["--check"], root=root) == 0
