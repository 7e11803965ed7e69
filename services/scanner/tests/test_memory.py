"""What is remembered saves reading, and never changes an answer."""

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from goalrunner_events import Standing
from goalrunner_scanner.domain import Unreadable
from goalrunner_scanner.memory import SEGMENTS, Memory
from goalrunner_shared.blobs import InMemoryBlobs

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)


class Counted:
    """Counts the blobs that are read from a repository."""

    def __init__(self, world: Any) -> None:
        self._read, self.blobs = world.repository.read, 0
        world.repository.read = self

    def __call__(self, blobs: Iterable[str], *, limit: int) -> Iterator[bytes | None]:
        wanted = list(blobs)
        self.blobs += len(wanted)
        contents: Iterator[bytes | None] = self._read(wanted, limit=limit)
        return contents

    def since(self) -> int:
        """How many since the last time this was asked."""
        number, self.blobs = self.blobs, 0
        return number


def _many(worlds: Any, goal: Any, **options: Any) -> Any:
    return worlds({f"g{n}": goal(f"g{n}", "schedule: manual") for n in range(40)}, **options)


@pytest.mark.parametrize("fresh", [False, True])
def test_only_what_changed_is_read_also_by_a_new_process(worlds: Any, goal: Any, fresh: bool) -> None:
    world = _many(worlds, goal, fresh=fresh)
    read = Counted(world)
    world.scan()
    assert read.since() == 40
    for number in range(3 * SEGMENTS):
        world.repository.commit_elsewhere({"goals/g7.md": goal("g7", "schedule: manual", body=f"{number}\n")})
        world.scan()
        assert read.since() == 1
    world.scan()
    assert read.since() == 0
    assert len(world.blobs.objects) <= SEGMENTS


def test_only_what_changed_is_saved(worlds: Any, goal: Any) -> None:
    world = _many(worlds, goal)
    world.scan()
    world.repository.commit_elsewhere({"goals/g7.md": goal("g7", "schedule: manual", body="more\n")})
    world.scan()
    sizes = [len(world.blobs.objects[f"scanner/cache-{number}"]) for number in (0, 1)]
    assert sizes[1] * 10 < sizes[0]
    before = dict(world.blobs.objects)
    world.scan()
    assert world.blobs.objects == before


@pytest.mark.parametrize("fresh", [False, True])
def test_other_defaults_make_it_forget(worlds: Any, goal: Any, fresh: bool) -> None:
    world = _many(worlds, goal, fresh=fresh)
    read = Counted(world)
    world.scan()
    read.since()
    world.repository.commit_elsewhere({"goalrunner.yaml": b"status: paused\n"})
    assert {each.reason for each in world.scan().values()} == {"status is paused"}
    assert read.since() == 40


@pytest.mark.parametrize(
    "spoilt",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"format": 0}',
        b"null",
        b'{"format":1,"defaults":"x","base":"y","entries":{"a":[1,2]}}',
    ],
)
def test_what_cannot_be_read_from_the_bucket_is_forgotten(worlds: Any, goal: Any, spoilt: bytes) -> None:
    world = _many(worlds, goal, fresh=True)
    expected = world.scan()
    world.blobs.objects["scanner/cache-0"] = spoilt
    assert world.scan() == expected
    assert json.loads(world.blobs.objects["scanner/cache-0"])["entries"].keys() == set(expected)


def test_a_verdict_is_used_only_as_long_as_it_holds(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf", "schedule: {at: 2026-01-02T10:00Z}", "deadline: 2026-01-04")})
    read = Counted(world)
    found = []
    for hours in range(0, 120, 2):
        standing = world.scan(SLOT + timedelta(hours=hours))["goals/shelf.md"]
        found.append((standing.standing.value, standing.reason))
        if standing.attempt:
            world.rows.items.clear()
    assert found[0] == ("skipped", "not due until 2026-01-02 10:00 UTC")
    assert found[12][0] == "due"
    assert found[-1] == ("skipped", "deadline 2026-01-04 has passed")
    assert read.since() == 3


def test_a_verdict_is_not_used_for_an_older_slot(worlds: Any, goal: Any) -> None:
    world = worlds({"shelf": goal("shelf", "deadline: 2026-01-04")})
    assert world.scan(SLOT + timedelta(days=9))["goals/shelf.md"].standing is Standing.SKIPPED
    assert world.scan(SLOT)["goals/shelf.md"].standing is Standing.DUE


def test_files_that_are_gone_are_forgotten_in_time() -> None:
    blobs = InMemoryBlobs()
    memory = Memory(blobs)
    memory.recall("d")
    memory.keep(
        {f"p{n}": Unreadable("b", 1, "p", "h") for n in range(9)}, commit="c", listed={f"p{n}" for n in range(9)}
    )
    memory.keep(
        {f"q{n}": Unreadable("b", 1, "p", "h") for n in range(9)}, commit="e", listed={f"q{n}" for n in range(9)}
    )
    assert Memory(blobs).recall("d").keys() == {f"q{n}" for n in range(9)}
