"""Every event delivered twice and in shuffled order gives the same tree."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goalrunner_shared.errors import TransientError
from tests.loop.deliveries import Choose, Shuffle, in_batches, in_turn
from tests.loop.ending import End, end_of
from tests.loop.goals import OUTCOMES
from tests.loop.manifests import topology
from tests.loop.world import World

QUEUES = sorted(topology()["functions"])
# More decisions than a run takes, so that its end is not always in turn.
DECISIONS = 600
SUPPRESSED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


shuffles = st.builds(
    Shuffle,
    st.binary(min_size=DECISIONS, max_size=DECISIONS),
    stalled=st.none() | st.sampled_from(QUEUES),
    late=st.booleans(),
)


def straightforward(folder: Path, *, answers: bool) -> End:
    """The end of a world in which every event comes once and in turn."""
    world = World(folder, answers=answers)
    world.scan()
    world.run()
    return end_of(world)


def all_is_well(end: End) -> None:
    """What must hold of any end, whatever it is compared with."""
    assert end.outcomes == OUTCOMES
    assert [len(subjects) for subjects in end.commits.values()] == [2] * len(OUTCOMES)
    assert end.loose == []
    assert end.dead == []
    assert {key for key, contents in end.events.items() if len(contents) > 1} == set()
    assert end.journal == end.events.keys()


@pytest.mark.parametrize("answers", [True, False], ids=["answered", "expired"])
def test_the_straightforward_order_ends_every_goal(tmp_path: Path, answers: bool) -> None:
    end = straightforward(tmp_path, answers=answers)
    all_is_well(end)
    assert set(end.notices.values()) == {1}
    # A question, a rejected file, and what came of each attempt.
    assert len(end.notices) == 2 + len(OUTCOMES)
    assert end.tree["artifacts/trip/way"] == ("car" if answers else "train")


@pytest.mark.parametrize("copies", [1, 2], ids=["once", "twice"])
@pytest.mark.parametrize("choose", [in_turn, in_batches])
@pytest.mark.parametrize("answers", [True, False], ids=["answered", "expired"])
def test_batches_and_repeats_end_as_single_messages_do(
    tmp_path: Path, answers: bool, choose: Choose, copies: int
) -> None:
    world = World(tmp_path, answers=answers, copies=copies)
    world.scan()
    world.run(choose)
    end = end_of(world)
    all_is_well(end)
    assert end == straightforward(tmp_path, answers=answers)


@pytest.mark.parametrize("choose", [in_turn, in_batches])
def test_what_fails_in_passing_comes_again_and_ends_the_same(tmp_path: Path, choose: Choose) -> None:
    world = World(tmp_path)
    world.channel.failures = [TransientError("the channel is down")] * 3
    world.scan()
    world.run(choose)
    assert world.channel.failures == []
    assert end_of(world) == straightforward(tmp_path, answers=True)


def check_a_shuffle(folder: Path, *, answers: bool, own_ids: bool, pushes: int, shuffle: Shuffle) -> None:
    """Every event twice, in an order that is drawn, while the human pushes between our commits."""
    world = World(folder, answers=answers, copies=2, own_ids=own_ids)
    for _ in range(pushes):
        world.repository.move_before_next_push({})
    world.scan()
    world.run(shuffle)
    end = end_of(world)
    all_is_well(end)
    assert end == straightforward(folder, answers=answers)
    tip = world.repository.tip
    world.ring()
    world.scan()
    world.run(shuffle)
    assert world.repository.tip == tip
    assert end_of(world) == end


@pytest.mark.parametrize("answers", [True, False], ids=["answered", "expired"])
@settings(max_examples=25, deadline=None, suppress_health_check=SUPPRESSED)
@given(own_ids=st.booleans(), pushes=st.integers(0, 3), shuffle=shuffles)
def test_every_event_twice_and_in_any_order_gives_the_same_tree(
    tmp_path: Path, answers: bool, own_ids: bool, pushes: int, shuffle: Shuffle
) -> None:
    check_a_shuffle(tmp_path, answers=answers, own_ids=own_ids, pushes=pushes, shuffle=shuffle)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("answers", [True, False], ids=["answered", "expired"])
@settings(max_examples=120, deadline=None, suppress_health_check=SUPPRESSED)
@given(own_ids=st.booleans(), pushes=st.integers(0, 3), shuffle=shuffles)
def test_five_hundred_orders_give_the_same_tree(
    tmp_path: Path, answers: bool, own_ids: bool, pushes: int, shuffle: Shuffle
) -> None:
    check_a_shuffle(tmp_path, answers=answers, own_ids=own_ids, pushes=pushes, shuffle=shuffle)


@pytest.mark.parametrize("choose", [in_turn, in_batches])
def test_the_same_slot_again_writes_nothing_new(tmp_path: Path, choose: Choose) -> None:
    world = World(tmp_path)
    world.scan()
    world.run()
    before, tip = end_of(world), world.repository.tip
    # From the command, and bare, as the Scheduler sends it.
    world.scan()
    world.tick()
    world.run(choose)
    assert world.repository.tip == tip
    assert end_of(world) == before
