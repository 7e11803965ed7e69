"""Settings → parts → use cases → routes."""

from functools import partial

from goalrunner_shared.entrypoint import App, Routes, Together
from goalrunner_events import GoalDueV1, StepFinishedV1
from goalrunner_planner.advance import advance
from goalrunner_planner.plan import plan
from goalrunner_planner.settings import PlannerSettings
from goalrunner_shared.bootstrap import Parts, event_app, parts_from, repository_from
from goalrunner_shared.git.port import GoalsRepository


def compose(settings: PlannerSettings) -> App:
    """The function `plan` with its real parts."""
    parts = parts_from(settings, service="planner")
    return event_app(parts, routes(parts, repository=repository_from(settings)))


def routes(parts: Parts, *, repository: GoalsRepository) -> Routes:
    """What the planner does about which event."""
    return {
        GoalDueV1: Together(partial(plan, parts=parts, repository=repository)),
        StepFinishedV1: partial(advance, parts=parts),
    }
