"""Any order and any number of deliveries: the same tree, and one content for each event id."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from goalrunner_events import GoalDueV1, Outcome
from goalrunner_shared.errors import TransientError

GOALS = ("shelf", "attic", "cellar")
BROKEN = "cellar"


def _deliver(world: Any, events: list[Any], batches: list[int]) -> None:
    """What a queue does: batches of one type, a failed delivery comes again at the end."""
    waiting = list(events)
    sizes = iter(batches)
    for _ in range(200):
        if not waiting:
            return
        size = next(sizes, 1)
        kind = type(waiting[0])
        batch = [event for event in waiting if type(event) is kind][:size]
        for event in batch:
            waiting.remove(event)
        try:
            world.handle(*batch)
        except TransientError:
            waiting += batch
    raise AssertionError("the queue never empties")


def _events(world: Any) -> list[Any]:
    dues = [world.due(goal) for goal in GOALS]
    return [*dues, *(world.finished(goal, outcome=Outcome.PROGRESSED) for goal in GOALS if goal != BROKEN)]


def _world(worlds: Any) -> Any:
    world = worlds(*GOALS)
    world.repository.commit_elsewhere({f"goals/{BROKEN}.md": b"broken"})
    return world


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_order_and_duplication_gives_the_same_tree_and_the_same_events(worlds: Any, data: st.DataObject) -> None:
    expected = _world(worlds)
    _deliver(expected, _events(expected), [])

    world = _world(worlds)
    events = _events(world)
    indices = list(range(len(events)))
    repeated = data.draw(st.lists(st.sampled_from(indices), max_size=8))
    order = data.draw(st.permutations(indices + repeated))
    for number in range(data.draw(st.integers(0, 3))):
        world.repository.move_before_next_push({"notes.md": b"%d" % number})
    _deliver(world, [events[index] for index in order], data.draw(st.lists(st.integers(1, 10), max_size=12)))

    tree = {path: content for path, content in world.tree().items() if path != "notes.md"}
    assert tree == expected.tree()
    assert world.contents().keys() == expected.contents().keys()
    assert all(len(contents) == 1 for contents in world.contents().values())
    planned = [commit.draft.key for commit in world.repository.history() if commit.draft]
    assert sorted(planned) == sorted(event.attempt for event in events if isinstance(event, GoalDueV1))
