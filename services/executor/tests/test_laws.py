"""Whatever the order, however often, wherever it is killed: one result, one text per question."""

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goalrunner_events import Event
from goalrunner_executor.agents.scripted import Ask, Finish, Note, ScriptedEngine, Write
from goalrunner_executor.bench import Bench, ask_policy
from goalrunner_executor.conformance import Fuse, Killed
from goalrunner_shared.errors import TransientError

ACTS = (Write("a", "a"), Ask("one?", default="one"), Note("1"), Ask("two?", default="two"), Note("2"), Finish())
DELIVERY = st.tuples(
    st.sampled_from(["ready", "answer", "expiry", "suspended"]),
    st.integers(0, 3),  # which of those that there are
    st.booleans(),  # a message of its own, or the same again
    st.one_of(st.none(), st.integers(1, 12)),  # killed after so many side effects
    st.booleans(),  # the lease has run out
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(deliveries=st.lists(DELIVERY, max_size=12), policy=st.sampled_from(["block", "default", "skip"]))
def test_any_interleaving_of_repeats_gives_one_result_and_one_text_for_each_question(
    tmp_path: Path, deliveries: list[tuple[str, int, bool, int | None, bool]], policy: str
) -> None:
    world = Bench(tmp_path, {"claude-api": ScriptedEngine(ACTS)})
    ready = world.ready(ask=ask_policy(policy))
    for number, (kind, which, fresh, effects, expired) in enumerate(deliveries):
        found = _events(world, ready, kind)
        if found:
            event = found[which % len(found)]
            message_id = f"m{number}" if fresh else event.event_id()
            world.now = (lambda: 10_000.0 * number) if expired else (lambda: 0.0)  # noqa: B023
            _deliver(world, event, message_id, effects)
    _settle(world, ready)
    assert len({result.model_dump_json() for result in world.results}) == 1
    texts = {(asked.question, asked.model_dump_json()) for asked in world.questions}
    assert len(texts) == len({asked.question for asked in world.questions})


def _events(world: Bench, ready: Event, kind: str) -> list[Event]:
    match kind:
        case "ready":
            return [ready]
        case "suspended":
            return list(world.suspensions)
    made: list[Event] = []
    for asked in world.questions:
        place = {"question": asked.question}
        base = world.answer("the train") if kind == "answer" else world.expiry()
        made.append(base.model_copy(update=place))
    return made


def _deliver(world: Bench, event: Event, message_id: str, effects: int | None) -> None:
    world.wrap = Fuse(effects).round if effects else lambda port: port
    try:
        world.deliver(event, message_id=message_id)
    except (Killed, TransientError):
        pass
    finally:
        world.wrap = lambda port: port


def _settle(world: Bench, ready: Event) -> None:
    """What the queues and the notifier still owe, until the end."""
    for round_number in range(20):
        world.now = lambda: 1e9 * (round_number + 1)  # noqa: B023
        for kind in ("ready", "suspended", "answer"):
            for event in _events(world, ready, kind):
                _deliver(world, event, f"settle-{round_number}-{event.event_id()}", None)
        if world.results and world.row.published:
            return
    raise AssertionError("it never ends")
