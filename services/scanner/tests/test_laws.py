"""Laws of being due, and that remembering changes nothing: for any course of events."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)
TWO_HOURS = timedelta(hours=2)

EASY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

lines = st.sampled_from(
    [
        ("schedule: {every: 2h}",),
        ("schedule: {every: 24h}", "priority: 1"),
        ('schedule: {every: 24h, around: "09:00", tz: Europe/Lisbon}',),
        ("schedule: {at: 2026-01-01T13:00Z}", "deadline: 2026-01-02"),
        ("schedule: {every: 4h}", "deadline: 2026-01-01T17:00Z"),
        ("schedule: manual",),
        ("schedule: {every: 2h}", "status: paused"),
        ("schedule: {every: 2h}", "depends_on: [a]"),
        ("schedule: {every: 2h}", "depends_on: [b, nobody]"),
        ("schedule: {every: 2h}", "depends_on: [c]"),
        ("schedule: {every: 2h}", "stop: {max_attempts: 2}"),
        ("wrong: key",),
    ]
)
names = st.sampled_from(["a", "b", "c", "d"])
slots = st.integers(0, 30).map(lambda number: SLOT + number * TWO_HOURS)


def _edit(world: Any, goal: Any, name: str, keys: tuple[str, ...]) -> None:
    world.repository.commit_elsewhere({f"goals/{name}.md": goal(name, *keys)})


def _remove(world: Any, goal: Any, name: str) -> None:
    world.repository.commit_elsewhere({f"goals/{name}.md": None})


def _move(world: Any, goal: Any, name: str) -> None:
    content = world.repository.file(world.repository.tip, f"goals/{name}.md")
    if content is not None:
        world.repository.commit_elsewhere({f"goals/{name}.md": None, f"goals/deep/{name}.md": content})


def _defaults(world: Any, goal: Any, content: bytes) -> None:
    world.repository.commit_elsewhere({"goalrunner.yaml": content})


def _scan(world: Any, goal: Any, slot: datetime) -> Any:
    return world.scan(slot)


def _run(world: Any, goal: Any, name: str) -> Any:
    return world.run(name, f"r{len(world.dues())}")


def _plan(world: Any, goal: Any, number: int) -> None:
    if dues := world.dues():
        world.plan(dues[number % len(dues)])


def _report(world: Any, goal: Any, number: int, outcome: str) -> None:
    if dues := world.dues():
        world.handle(world.report(dues[number % len(dues)], outcome))


def _lose(world: Any, goal: Any) -> None:
    world.rows.items.clear()


def _play(world: Any, goal: Any, course: list[Any]) -> list[Any]:
    """Do the steps; what every scan said on the way."""
    return [step(world, goal, *values) for step, *values in course]


steps = st.lists(
    st.one_of(
        st.tuples(st.just(_edit), names, lines),
        st.tuples(st.just(_remove), names),
        st.tuples(st.just(_move), names),
        st.tuples(
            st.just(_defaults), st.sampled_from([b"", b"status: paused\n", b"nonsense: 1\n", b"ask: {timeout: 2h}\n"])
        ),
        st.tuples(st.just(_scan), slots),
        st.tuples(st.just(_run), names),
        st.tuples(st.just(_plan), st.integers(0, 9)),
        st.tuples(st.just(_report), st.integers(0, 9), st.sampled_from(["done", "failed"])),
        st.tuples(st.just(_lose)),
    ),
    min_size=3,
    max_size=20,
)


@EASY
@given(course=steps)
def test_a_scanner_that_remembers_says_what_one_that_forgets_says(worlds: Any, goal: Any, course: list[Any]) -> None:
    goals = {name: goal(name) for name in "ab"}
    remembering, from_bucket, forgetting = worlds(goals), worlds(goals, fresh=True), worlds(goals, fresh=True)
    forgetting.blobs.get = lambda key: None
    expected = _play(forgetting, goal, course)
    assert _play(remembering, goal, course) == expected
    assert _play(from_bucket, goal, course) == expected
    assert remembering.contents() == from_bucket.contents() == forgetting.contents()


@EASY
@given(
    deliveries=st.lists(
        st.one_of(
            st.tuples(st.just("scan"), slots),
            st.tuples(st.just("run"), names),
            st.tuples(st.just("report"), st.integers(0, 9)),
            st.tuples(st.just("again"), st.integers(0, 9)),
        ),
        min_size=2,
        max_size=25,
    )
)
def test_no_goal_is_ever_open_twice_nor_due_twice_in_a_slot(worlds: Any, goal: Any, deliveries: list[Any]) -> None:
    """Any order of scans (old slots too), requests and results (each again and again)."""
    waiting = {name: goal(name, "schedule: {every: 2h}", f"depends_on: [{need}]") for name, need in ("ba", "ca", "db")}
    world = worlds({"a": goal("a", "schedule: {every: 2h}"), **waiting})
    reports: dict[str, Any] = {}
    for number, (kind, value) in enumerate(deliveries):
        match kind:
            case "scan":
                world.scan(value)
            case "run":
                world.run(value, f"r{number}")
            case "report" if world.dues():
                due = world.dues()[value % len(world.dues())]
                if due.attempt not in reports:
                    reports[due.attempt] = world.report(due)
                world.handle(reports[due.attempt])
            case "again" if reports:
                world.handle(list(reports.values())[value % len(reports)])
        open_goals = [due.goal for due in world.dues() if due.attempt not in reports]
        assert len(open_goals) == len(set(open_goals))
    planned = [(due.goal, due.slot) for due in world.dues() if due.trigger.value != "manual"]
    assert len(planned) == len(set(planned))
    assert all(len(contents) == 1 for contents in world.contents().values())
