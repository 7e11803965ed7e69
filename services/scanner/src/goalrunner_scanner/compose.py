"""Settings → parts → use cases → routes."""

from collections.abc import Collection
from functools import partial

from goalrunner_shared.entrypoint import App, Routes, Together, retry_soon
from goalrunner_events import ResultReportedV1, ScanRequestedV1
from goalrunner_scanner.follow import follow
from goalrunner_scanner.memory import Memory
from goalrunner_scanner.reader import scan_reader
from goalrunner_scanner.scan import scan
from goalrunner_scanner.settings import ScannerSettings
from goalrunner_shared.aws import client_of
from goalrunner_shared.bootstrap import Parts, parts_from, repository_from
from goalrunner_shared.git.port import GoalsRepository


def compose(settings: ScannerSettings) -> App:
    """The function `scan` with its real parts."""
    parts = parts_from(settings, service="scanner")
    return App(
        read=scan_reader(parts, clock_is_fixed=settings.clock is not None),
        routes=routes(parts, repository=repository_from(settings), engines=settings.available()),
        retry=retry_soon(client_of("sqs")),
        logger=parts.logger,
    )


def routes(parts: Parts, *, repository: GoalsRepository, engines: Collection[str]) -> Routes:
    """What the scanner does about which event; what it remembers of the files lives as long as the routes."""
    memory = Memory(parts.blobs)
    return {
        ScanRequestedV1: partial(scan, parts=parts, repository=repository, memory=memory, engines=engines),
        ResultReportedV1: Together(
            partial(follow, parts=parts, repository=repository, memory=memory, engines=engines),
        ),
    }
