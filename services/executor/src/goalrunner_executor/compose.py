"""Settings → parts → use cases → routes."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from goalrunner_shared.entrypoint import App, Routes
from goalrunner_events import ClarificationAnsweredV1, ClarificationExpiredV1, StepReadyV1, StepSuspendedV1
from goalrunner_executor.adapters.anthropic_model import AnthropicModel
from goalrunner_executor.adapters.checkout import Checkout
from goalrunner_executor.adapters.prices import PublishedPrices
from goalrunner_executor.agents.claude_api import ClaudeApiEngine
from goalrunner_executor.agents.command import CommandEngine
from goalrunner_executor.execute import begin, go_on, go_on_with_answer, go_on_without_answer
from goalrunner_executor.ports import Engine, Workspace
from goalrunner_executor.settings import ExecutorSettings
from goalrunner_executor.tools.process import Surroundings
from goalrunner_executor.work import Workshop
from goalrunner_shared.bootstrap import Parts, event_app, parts_from, repository_from


def compose(settings: ExecutorSettings) -> App:
    """The function `execute` with its real parts."""
    parts = parts_from(settings, service="executor")
    workspace = Checkout(repository_from(settings), Path(settings.work))
    return event_app(
        parts,
        routes(parts, workspace=workspace, engines=engines_from(settings), stop_before=settings.stop_before),
    )


def engines_from(settings: ExecutorSettings) -> Mapping[str, Engine]:
    """The engines that are there; whether one can work (a key, a price) is seen when it is used."""
    surroundings = Surroundings(path=settings.path, lang=settings.lang)
    model = AnthropicModel(api_key=settings.anthropic_api_key, base_url=settings.anthropic_base_url)
    return {
        "command": CommandEngine(surroundings),
        "claude-api": ClaudeApiEngine(
            model=model, prices=PublishedPrices(), default_model=settings.model, surroundings=surroundings
        ),
    }


def routes(
    parts: Parts,
    *,
    workspace: Workspace,
    engines: Mapping[str, Engine],
    now: Callable[[], float] = time.time,
    stop_before: float = 90.0,
) -> Routes:
    """What the executor does about which event; `now` is real time in seconds, which the domain's clock need not be."""
    shop = Workshop(parts=parts, workspace=workspace, engines=engines, now=now, stop_before=stop_before)
    return {
        StepReadyV1: partial(begin, shop=shop),
        StepSuspendedV1: partial(go_on, shop=shop),
        ClarificationAnsweredV1: partial(go_on_with_answer, shop=shop),
        ClarificationExpiredV1: partial(go_on_without_answer, shop=shop),
    }
