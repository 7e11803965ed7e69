"""A run as a fold over its events."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalrunner_events import (
    AgentSpec,
    AskPolicy,
    AttemptFinishedV1,
    AttemptPlannedV1,
    ClarificationAnsweredV1,
    ClarificationExpiredV1,
    ClarificationRequestedV1,
    Event,
    GoalDueV1,
    GoalStanding,
    Job,
    Meta,
    NotificationSentV1,
    OnTimeout,
    Outcome,
    QuestionState,
    ResultReportedV1,
    ScanCompletedV1,
    Standing,
    StepFinishedV1,
    StepReadyV1,
    StepResult,
    Trigger,
)
from goalrunner_local.view import QuestionLine, RunView

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)


def attempt_of(goal: str) -> str:
    return f"{goal}.2026-01-01T1000Z.0a0b0c"


def due(goal: str, trigger: Trigger = Trigger.SCHEDULE) -> Event:
    path = f"goals/{goal}.md"
    return GoalDueV1(attempt=attempt_of(goal), goal=goal, path=path, commit="c0", slot=SLOT, trigger=trigger)


def planned(goal: str) -> list[Event]:
    title = f"The {goal}"
    job = Job(title=title, path=f"goals/{goal}.md", commit="c0", agent=AgentSpec(engine="claude-api"), instructions="")
    return [
        AttemptPlannedV1(attempt=attempt_of(goal), goal=goal, title=title, steps=("main",), commit=f"planned-{goal}"),
        StepReadyV1(attempt=attempt_of(goal), goal=goal, step="main", job=job),
    ]


def asked(goal: str, question: str, *, default: str | None = None) -> Event:
    ask = AskPolicy(timeout_seconds=60, on_timeout=OnTimeout.DEFAULT if default else OnTimeout.BLOCK)
    return ClarificationRequestedV1(
        question=question,
        attempt=attempt_of(goal),
        goal=goal,
        step="main",
        title=f"The {goal}",
        text="Which one?",
        why="There are two.",
        options=("left", "right"),
        default=default,
        ask=ask,
        cost_usd=0.01,
    )


def answered(goal: str, question: str) -> Event:
    return ClarificationAnsweredV1(
        question=question, attempt=attempt_of(goal), goal=goal, step="main", answer="left", by="ana"
    )


def expired(goal: str, question: str) -> Event:
    return ClarificationExpiredV1(question=question, attempt=attempt_of(goal), goal=goal, step="main")


def ended(goal: str, outcome: Outcome, *, reason: str | None = None, cost: float = 0.0) -> list[Event]:
    attempt = attempt_of(goal)
    result = StepResult(step="main", outcome=outcome, reason=reason, cost_usd=cost)
    return [
        StepFinishedV1(attempt=attempt, goal=goal, result=result),
        AttemptFinishedV1(
            attempt=attempt,
            goal=goal,
            path=f"goals/{goal}.md",
            slot=SLOT,
            trigger=Trigger.SCHEDULE,
            outcome=outcome,
            reason=reason,
            steps=(result,),
        ),
        ResultReportedV1(
            attempt=attempt,
            goal=goal,
            slot=SLOT,
            outcome=outcome,
            reason=reason,
            commit=f"reported-{goal}",
            cost_usd=cost,
        ),
    ]


def stands(goal: str, standing: Standing, *, reason: str | None = None, attempt: str | None = None) -> GoalStanding:
    path = f"goals/{goal}.md"
    return GoalStanding(goal=goal, path=path, title=f"The {goal}", standing=standing, reason=reason, attempt=attempt)


def scanned(*goals: GoalStanding) -> Event:
    return ScanCompletedV1(request="r-1", slot=SLOT, commit="c0", seconds=0.1, goals=goals)


def view_of(*events: Event) -> RunView:
    view = RunView()
    for event in events:
        view.apply(meta_of(event), event)
    return view


def meta_of(event: Event) -> Meta:
    return Meta(event_id=event.event_id(), correlation_id="c", occurred_at=SLOT)


def goals_of(view: RunView) -> dict[str, dict[str, Any]]:
    return {goal["id"]: goal for goal in view.as_json()["goals"]}


RUN = (
    scanned(
        stands("roof", Standing.DUE, attempt=attempt_of("roof")),
        stands("shelf", Standing.DUE, attempt=attempt_of("shelf")),
        stands("house", Standing.SKIPPED, reason="waits for roof"),
        stands("tax", Standing.SKIPPED, reason="not due before 2026-02-01"),
        stands("trip", Standing.REJECTED, reason='goals/trip.md:3 unknown key "x"'),
    ),
    due("roof"),
    *planned("roof"),
    *ended("roof", Outcome.DONE),
    due("shelf"),
    *planned("shelf"),
    asked("shelf", "questiona2"),
    NotificationSentV1(
        notification="n-1", channel="terminal", message_id="1", question="questiona2", attempt=attempt_of("shelf")
    ),
    answered("shelf", "questiona2"),
    *ended("shelf", Outcome.PROGRESSED, cost=0.05),
    due("house", Trigger.DEPENDENCY),
    *planned("house"),
    asked("house", "questionb2", default="right"),
    expired("house", "questionb2"),
    *ended("house", Outcome.FAILED, reason="stopped by budget", cost=0.02),
)


@given(st.lists(st.sampled_from(RUN), max_size=len(RUN)).flatmap(lambda again: st.permutations([*RUN, *again])))
def test_every_order_and_every_repetition_shows_the_same(events: list[Event]) -> None:
    shown, wanted = view_of(*events), view_of(*RUN)
    assert shown.as_json() == wanted.as_json()
    assert {name: line.questions for name, line in shown.goals.items()} == {
        name: line.questions for name, line in wanted.goals.items()
    }


def test_the_json_is_what_the_command_promises() -> None:
    assert json.loads(json.dumps(view_of(*RUN).as_json())) == {
        "slot": "2026-01-01T10:00Z",
        "goals": [
            {
                "id": "house",
                "outcome": "failed",
                "attempt": "house.2026-01-01T1000Z.0a0b0c",
                "commit": "reported-house",
                "cost_usd": 0.02,
                "questions": [
                    {"id": "questionb2", "text": "Which one?", "options": ["left", "right"], "state": "expired"}
                ],
                "reason": "stopped by budget",
            },
            {
                "id": "roof",
                "outcome": "done",
                "attempt": "roof.2026-01-01T1000Z.0a0b0c",
                "commit": "reported-roof",
                "cost_usd": 0.0,
                "questions": [],
                "reason": None,
            },
            {
                "id": "shelf",
                "outcome": "progressed",
                "attempt": "shelf.2026-01-01T1000Z.0a0b0c",
                "commit": "reported-shelf",
                "cost_usd": 0.05,
                "questions": [
                    {"id": "questiona2", "text": "Which one?", "options": ["left", "right"], "state": "answered"}
                ],
                "reason": None,
            },
            {
                "id": "tax",
                "outcome": "skipped",
                "attempt": None,
                "commit": None,
                "cost_usd": 0.0,
                "questions": [],
                "reason": "not due before 2026-02-01",
            },
            {
                "id": "trip",
                "outcome": "rejected",
                "attempt": None,
                "commit": None,
                "cost_usd": 0.0,
                "questions": [],
                "reason": 'goals/trip.md:3 unknown key "x"',
            },
        ],
    }


def test_an_empty_run_is_an_object_too() -> None:
    assert RunView().as_json() == {"slot": None, "goals": []}


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ([due("a"), *ended("a", Outcome.DONE)], "done"),
        ([due("a"), *ended("a", Outcome.PROGRESSED)], "progressed"),
        ([due("a"), *ended("a", Outcome.FAILED, reason="exit 3")], "failed"),
        ([due("a"), *planned("a"), asked("a", "questionq2")], "waiting"),
        ([scanned(stands("a", Standing.SKIPPED, reason="paused"))], "skipped"),
        ([scanned(stands("a", Standing.REJECTED, reason="goals/a.md:1 the file is empty"))], "rejected"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_outcome_has_its_word(events: list[Event], outcome: str) -> None:
    view = view_of(*events)
    assert goals_of(view)["a"]["outcome"] == outcome
    assert view.failed is (outcome == "failed")


def test_a_goal_that_is_being_worked_on_is_open_until_it_is_reported() -> None:
    begun = [scanned(stands("a", Standing.DUE, attempt=attempt_of("a"))), due("a"), *planned("a")]
    finished = ended("a", Outcome.DONE)
    assert [line.id for line in view_of(*begun).open_lines] == ["a"]
    assert [line.id for line in view_of(*begun, *finished[:-1]).open_lines] == ["a"]
    assert view_of(*begun, *finished).open_lines == []


def test_a_goal_that_waits_for_the_human_is_not_open_and_an_answer_opens_it_again() -> None:
    waiting = [due("a"), *planned("a"), asked("a", "questionq2")]
    assert view_of(*waiting).open_lines == []
    assert [line.id for line in view_of(*waiting, answered("a", "questionq2")).open_lines] == ["a"]


def test_an_attempt_that_an_earlier_slot_began_is_followed() -> None:
    old = "a.2026-01-01T0800Z.ffffff"
    view = view_of(scanned(stands("a", Standing.OPEN, attempt=old)))
    assert [line.attempt for line in view.open_lines] == [old]


def test_what_an_older_attempt_does_late_does_not_touch_the_new_one() -> None:
    old = ResultReportedV1(
        attempt="a.2026-01-01T0800Z.ffffff", goal="a", slot=SLOT, outcome=Outcome.FAILED, commit="old", cost_usd=1.0
    )
    view = view_of(due("a"), old)
    assert goals_of(view)["a"] | {"outcome": "?"} == goals_of(view_of(due("a")))["a"] | {"outcome": "?"}
    assert view.open_lines


def test_a_question_of_an_earlier_run_is_brought_along_once() -> None:
    view = view_of(scanned(stands("a", Standing.OPEN, attempt=attempt_of("a"))))
    for _ in range(2):
        view.bring_along("a", attempt_of("a"), QuestionLine("questionq2", "Which one?"))
    view.bring_along("a", "a.2026-01-01T0800Z.ffffff", QuestionLine("older", "Which one?"))
    view.bring_along("unknown", attempt_of("a"), QuestionLine("questionq2", "Which one?"))
    assert [question["id"] for question in goals_of(view)["a"]["questions"]] == ["questionq2"]
    assert goals_of(view)["a"]["outcome"] == "waiting"


def test_the_default_that_was_taken_is_the_answer() -> None:
    [question] = (
        view_of(due("a"), asked("a", "questionq2", default="right"), expired("a", "questionq2")).goals["a"].questions
    )
    assert (question.state, question.answer) == (QuestionState.EXPIRED, "right")


def test_nothing_is_the_answer_where_the_goal_blocks() -> None:
    [question] = view_of(due("a"), asked("a", "questionq2"), expired("a", "questionq2")).goals["a"].questions
    assert (question.state, question.answer) == (QuestionState.EXPIRED, None)


def test_the_trail_names_each_event_once() -> None:
    events = [due("a"), *planned("a"), *ended("a", Outcome.DONE)]
    assert view_of(*events, *events).goals["a"].trail == ["due", "planned", "ready", "finished", "closed", "reported"]


def test_an_event_that_moves_no_goal_changes_no_line() -> None:
    event = NotificationSentV1(notification="n", channel="terminal", message_id="1", attempt=attempt_of("a"))
    view = RunView()
    assert view.apply(meta_of(event), event) is None
    assert view.goals == {}
