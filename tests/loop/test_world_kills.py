"""Killed before any side effect of any function, or with everything lost but git: every attempt ends once, the same."""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goalrunner_events import NotificationSentV1, Trigger
from goalrunner_shared.goals.ids import attempt_id
from tests.loop.deliveries import Choose, Shuffle, failed_first, failed_last, in_batches, in_turn
from tests.loop.ending import End, end_of
from tests.loop.goals import OUTCOMES, SLOT
from tests.loop.manifests import topology
from tests.loop.mortal import Fuse
from tests.loop.world import World

QUEUES = sorted(topology()["functions"])
EFFECTS = {
    "publish",
    "table write",
    "blob write",
    "commit",
    "push",
    "send",
    "edit",
    "start wait",
    "settle wait",
    "beat",
    "set alarm",
    "acknowledge",
}
# The attempt at the goal that waits: because of what it waited for, and because of the slot.
FOLLOWED = attempt_id("digest", SLOT, Trigger.DEPENDENCY)
FOUND = attempt_id("digest", SLOT, Trigger.SCHEDULE)
SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def lived(folder: Path, *deadly: int, answers: bool = True, choose: Choose = in_batches, copies: int = 1) -> World:
    """A world in which the processes that come to these side effects are killed before them."""
    world = World(folder, answers=answers, copies=copies, fuse=Fuse(frozenset(deadly)))
    world.scan()
    world.run(choose)
    world.ring()
    world.run(choose)
    return world


@cache
def reference(answers: bool, choose: Choose) -> tuple[End, Sequence[tuple[str, str]]]:
    """The end without a kill, and the side effects on the way there: of which function, and which."""
    with TemporaryDirectory() as folder:
        world = lived(Path(folder), answers=answers, choose=choose)
    return end_of(world), tuple(world.fuse.log)


def well_ended(end: End, wanted: End) -> None:
    """Every goal has ended, once, with what it was to leave behind."""
    assert end.outcomes == OUTCOMES
    assert [len(subjects) for subjects in end.commits.values()] == [2] * len(OUTCOMES)
    assert (end.loose, end.dead) == ([], [])
    assert artifacts(end) == artifacts(wanted)


def artifacts(end: End) -> dict[str, str]:
    """All files but those that name attempts."""
    return {path: content for path, content in end.tree.items() if not path.startswith(("attempts/", "goals/"))}


def same_end(world: World, wanted: End, *, kills: int) -> None:
    """The end wanted, but for what nobody can take back or make up for.

    A process that is killed between a sending and its mark sends again; where the human answers before that, nobody
    knows any more under which id the question was sent, and nothing is said of it.
    """
    end = end_of(world)
    well_ended(end, wanted)
    if end.commits.keys() != wanted.commits.keys():
        # Scan and follow were both killed, and the scan came again first: it has found what had waited, by itself.
        assert end.commits.keys() ^ wanted.commits.keys() == {FOLLOWED, FOUND}
        return
    assert end.notices.keys() == wanted.notices.keys()
    assert sum(count - 1 for count in end.notices.values()) <= kills
    unsaid = wanted.events.keys() - end.events.keys()
    assert all(_is_of_a_question(wanted.events[key]) for key in unsaid)
    events = {key: contents for key, contents in wanted.events.items() if key not in unsaid}
    # What is said again may be said because of another message.
    wanted = replace(wanted, causes=end.causes, notices=end.notices)
    assert end == replace(wanted, events=events, journal=wanted.journal - unsaid)


def _is_of_a_question(contents: frozenset[str]) -> bool:
    said = [json.loads(content) for content in contents]
    return all(one["type"] == NotificationSentV1.TYPE and one["data"]["question"] for one in said)


def kill_everywhere(folder: Path, queue: str, *, answers: bool, choose: Choose) -> None:
    """Once before each side effect of one function."""
    wanted, effects = reference(answers, choose)
    for number, (owner, effect) in enumerate(effects):
        if owner == queue:
            world = lived(folder, number, answers=answers, choose=choose)
            assert world.fuse.log[number] == (queue, effect)
            try:
                same_end(world, wanted, kills=1)
            except AssertionError as error:
                raise AssertionError(f"killed before effect {number}, {effect}, of {queue}: {error}") from error


def test_every_kind_of_side_effect_is_there_to_be_killed_before() -> None:
    _, effects = reference(True, in_batches)
    assert {effect for _, effect in effects} == EFFECTS
    assert {queue for queue, _ in effects} == set(QUEUES)


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize(
    ("answers", "choose"),
    [(True, failed_last), (False, failed_first)],
    ids=["answered-failed-last", "expired-failed-first"],
)
def test_a_kill_before_any_side_effect_changes_nothing(
    tmp_path: Path, queue: str, answers: bool, choose: Choose
) -> None:
    kill_everywhere(tmp_path, queue, answers=answers, choose=choose)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("answers", [True, False], ids=["answered", "expired"])
@pytest.mark.parametrize("choose", [failed_first, failed_last, in_batches])
def test_a_kill_in_any_surroundings_changes_nothing(tmp_path: Path, queue: str, answers: bool, choose: Choose) -> None:
    kill_everywhere(tmp_path, queue, answers=answers, choose=choose)


def check_kills(folder: Path, *, answers: bool, deadly: Sequence[int], choose: Choose) -> None:
    """Several kills in one run."""
    wanted, _ = reference(answers, in_batches)
    same_end(lived(folder, *deadly, answers=answers, choose=choose), wanted, kills=len(deadly))


orders = st.sampled_from([failed_first, failed_last, in_batches])
pairs = st.tuples(st.integers(0, 280), st.integers(0, 280))
shuffles = st.builds(Shuffle, st.binary(min_size=600, max_size=600), stalled=st.none(), late=st.just(False))


@pytest.mark.parametrize("answers", [True, False], ids=["answered", "expired"])
@settings(max_examples=40, deadline=None, suppress_health_check=SUPPRESSED)
@given(deadly=pairs, choose=orders)
def test_two_kills_change_nothing(tmp_path: Path, answers: bool, deadly: Sequence[int], choose: Choose) -> None:
    check_kills(tmp_path, answers=answers, deadly=deadly, choose=choose)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("answers", [True, False], ids=["answered", "expired"])
@settings(max_examples=150, deadline=None, suppress_health_check=SUPPRESSED)
@given(deadly=st.lists(st.integers(0, 300), max_size=3), choose=orders)
def test_three_kills_change_nothing(tmp_path: Path, answers: bool, deadly: Sequence[int], choose: Choose) -> None:
    check_kills(tmp_path, answers=answers, deadly=deadly, choose=choose)


@pytest.mark.parametrize("answers", [True, False], ids=["answered", "expired"])
@settings(max_examples=20, deadline=None, suppress_health_check=SUPPRESSED)
@given(deadly=st.tuples(st.integers(0, 400), st.integers(0, 400)), shuffle=shuffles)
def test_two_kills_among_repeats_in_any_order_change_nothing(
    tmp_path: Path, answers: bool, deadly: Sequence[int], shuffle: Shuffle
) -> None:
    wanted, _ = reference(answers, in_batches)
    world = lived(tmp_path, *deadly, answers=answers, choose=shuffle, copies=2)
    same_end(world, wanted, kills=len(deadly))


def check_losses(folder: Path, *, answers: bool, lives: Sequence[int], blobs: bool, shuffle: Choose) -> None:
    """The emulator is killed after so many deliveries of each life; what it forgot is rebuilt from git."""
    wanted, _ = reference(answers, in_batches)
    world = World(folder, answers=answers)
    for deliveries in lives:
        world.scan()
        world.run(shuffle, steps=deliveries)
        world.forget(blobs=blobs)
    world.scan()
    world.run(shuffle)
    world.ring()
    world.run(shuffle)
    well_ended(end_of(world), wanted)


@pytest.mark.parametrize("blobs", [True, False], ids=["bucket lost", "bucket kept"])
@pytest.mark.parametrize("answers", [True, False], ids=["answered", "expired"])
def test_tables_lost_after_any_delivery_are_rebuilt_from_git(tmp_path: Path, answers: bool, blobs: bool) -> None:
    for deliveries in range(0, 70, 3):
        check_losses(tmp_path, answers=answers, lives=[deliveries], blobs=blobs, shuffle=in_turn)


@pytest.mark.parametrize("blobs", [True, False], ids=["bucket lost", "bucket kept"])
@settings(max_examples=25, deadline=None, suppress_health_check=SUPPRESSED)
@given(answers=st.booleans(), lives=st.lists(st.integers(0, 70), min_size=1, max_size=3), shuffle=shuffles)
def test_tables_lost_again_and_again_in_any_order_are_rebuilt_from_git(
    tmp_path: Path, answers: bool, blobs: bool, lives: Sequence[int], shuffle: Shuffle
) -> None:
    check_losses(tmp_path, answers=answers, lives=lives, blobs=blobs, shuffle=shuffle)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("blobs", [True, False], ids=["bucket lost", "bucket kept"])
@settings(max_examples=150, deadline=None, suppress_health_check=SUPPRESSED)
@given(answers=st.booleans(), lives=st.lists(st.integers(0, 70), min_size=1, max_size=5), shuffle=shuffles)
def test_eight_hundred_losses_are_rebuilt_from_git(
    tmp_path: Path, answers: bool, blobs: bool, lives: Sequence[int], shuffle: Shuffle
) -> None:
    check_losses(tmp_path, answers=answers, lives=lives, blobs=blobs, shuffle=shuffle)
