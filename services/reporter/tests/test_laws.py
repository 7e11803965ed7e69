"""Any order and any number of deliveries: the same tree, and one content for each event id."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

GOALS = ("shelf", "attic")
NAMES = ("list.md", "more/list.md", "notes.txt")

results = st.fixed_dictionaries(
    {
        "outcome": st.sampled_from(["done", "progressed", "failed", "failed"]),
        "cost_usd": st.sampled_from([0.0, 0.1, 0.2, 0.7, 1.000001]),
        "files": st.dictionaries(st.sampled_from(NAMES), st.binary(max_size=4), max_size=2),
    }
)
attempts = st.dictionaries(
    st.tuples(st.sampled_from(GOALS), st.integers(0, 3), st.integers(0, 2)), results, min_size=1, max_size=8
)


def _planned(worlds: Any, drawn: Any) -> tuple[Any, list[Any]]:
    world = worlds(*GOALS)
    for key in sorted(drawn):
        world.plan(*key)
    return world, [world.ended(*key, **dict(result)) for key, result in sorted(drawn.items())]


def _edited(content: bytes, text: bytes) -> bytes:
    """A human writes above and below the state block."""
    return content.replace(b"## Outcome", text + b"## Outcome", 1) + text


@settings(max_examples=100, deadline=None)
@given(drawn=attempts, data=st.data())
def test_any_order_and_duplication_gives_the_same_tree(worlds: Any, drawn: Any, data: st.DataObject) -> None:
    expected, events = _planned(worlds, drawn)
    for event in events:
        expected.handle(event)

    world, events = _planned(worlds, drawn)
    before = len(world.repository.history())
    repeated = data.draw(st.lists(st.sampled_from(range(len(events))), max_size=6))
    order = [events[index] for index in data.draw(st.permutations([*range(len(events)), *repeated]))]
    while order:
        size = data.draw(st.integers(1, 5))
        if data.draw(st.booleans()):
            world.repository.move_before_next_push({"README.md": b"mine\n"})
        world.handle(*order[:size])
        del order[:size]

    assert world.tree() == expected.tree()
    assert world.contents().keys() == expected.contents().keys()
    assert all(len(contents) == 1 for contents in world.contents().values())
    made = [commit.draft.key for commit in world.repository.history()[:-before] if commit.draft]
    assert sorted(made) == sorted(event.attempt for event in events)


@settings(max_examples=60, deadline=None)
@given(drawn=attempts, texts=st.lists(st.binary(max_size=12), min_size=1, max_size=4), data=st.data())
def test_a_humans_edits_survive_byte_for_byte(worlds: Any, drawn: Any, texts: list[bytes], data: st.DataObject) -> None:
    world, events = _planned(worlds, drawn)
    for event in events:
        text = b"> " + data.draw(st.sampled_from(texts)).hex().encode() + b" $1 \\n\r\n"
        path = f"goals/{event.goal}.md"
        written = _edited(world.tree()[path], text)
        change = (
            world.repository.move_before_next_push if data.draw(st.booleans()) else world.repository.commit_elsewhere
        )
        change({path: written})
        world.handle(event)
        before, after = _without_block(written), _without_block(world.tree()[path])
        assert after.startswith(before)
        # The first block stands below an empty line.
        assert after[len(before) :].strip(b"\r\n") == b""
    counts = {goal: sum(1 for name, _, _ in drawn if name == goal) for goal in GOALS}
    assert {goal: world.state(goal).attempts for goal in GOALS} == counts


def _without_block(content: bytes) -> bytes:
    begin, end = b"<!-- goalrunner:state begin", b"state end -->"
    return content.partition(begin)[0] + content.partition(end)[2] if begin in content else content
