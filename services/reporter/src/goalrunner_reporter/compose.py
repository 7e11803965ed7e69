"""Settings → parts → use cases → routes, for each of the two functions."""

from functools import partial

from goalrunner_shared.entrypoint import App, Routes, Together, retry_soon
from goalrunner_events import AttemptFinishedV1
from goalrunner_reporter.keep import Delivery, keep, read_delivery
from goalrunner_reporter.report import report
from goalrunner_reporter.settings import JournalSettings, ReportSettings
from goalrunner_shared.aws import client_of
from goalrunner_shared.bootstrap import Parts, event_app, parts_from, repository_from
from goalrunner_shared.git.port import GoalsRepository


def compose(settings: ReportSettings) -> App:
    """The function `report` with its real parts."""
    parts = parts_from(settings, service="reporter")
    return event_app(parts, routes(parts, repository=repository_from(settings)))


def compose_journal(settings: JournalSettings) -> App:
    """The function `journal`: it takes every event as it comes off the bus, of known type or not."""
    parts = parts_from(settings, service="reporter")
    retry = retry_soon(client_of("sqs"))
    return App(read=read_delivery, routes=journal_routes(parts), retry=retry, logger=parts.logger)


def routes(parts: Parts, *, repository: GoalsRepository) -> Routes:
    """What the function `report` does about which event."""
    return {AttemptFinishedV1: Together(partial(report, parts=parts, repository=repository))}


def journal_routes(parts: Parts) -> Routes:
    """What the function `journal` does about a delivery."""
    return {Delivery: partial(keep, blobs=parts.blobs)}
