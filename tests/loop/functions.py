"""The function behind each queue, made of the routes of its service."""

from collections.abc import Mapping
from typing import Any

from goalrunner_shared.entrypoint import Read, Routes
from goalrunner_executor.compose import routes as execute_routes
from goalrunner_executor.ports import Engine, Workspace
from goalrunner_notifier.compose import deliver_routes, hear_routes, updates_routes
from goalrunner_notifier.inbox import delivery_reader, update_reader
from goalrunner_planner.compose import routes as plan_routes
from goalrunner_reporter.compose import journal_routes
from goalrunner_reporter.compose import routes as report_routes
from goalrunner_reporter.keep import read_delivery
from goalrunner_scanner.compose import routes as scan_routes
from goalrunner_scanner.reader import scan_reader
from goalrunner_shared.bootstrap import Parts, event_reader
from goalrunner_shared.git.port import GoalsRepository


def function(
    queue: str,
    parts: Parts,
    *,
    repository: GoalsRepository,
    workspace: Workspace,
    engines: Mapping[str, Engine],
    desk: Mapping[str, Any],
) -> tuple[Read, Routes]:
    """How the function behind the queue reads its messages, and its routes; `desk` holds the ports of the notifier."""
    events, clock = event_reader(parts), parts.clock
    match queue.removeprefix("goalrunner-"):
        case "scanner-scan":
            read = scan_reader(parts, clock_is_fixed=True)
            return read, scan_routes(parts, repository=repository, engines=engines)
        case "planner-plan":
            return events, plan_routes(parts, repository=repository)
        case "executor-execute":
            return events, execute_routes(parts, workspace=workspace, engines=engines, now=lambda: 0.0)
        case "reporter-report":
            return events, report_routes(parts, repository=repository)
        case "reporter-journal":
            return read_delivery, journal_routes(parts)
        case "notifier-hear":
            return events, hear_routes(parts, **desk)
        case "notifier-deliver":
            return delivery_reader(clock), deliver_routes(parts, **desk)
        case "notifier-updates":
            return update_reader(clock), updates_routes(parts, **desk)
    raise AssertionError(f"nobody has told the world of {queue}")
