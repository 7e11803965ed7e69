"""The executor's world in memory."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from goalrunner_executor.adapters.prices import FlatPrices
from goalrunner_executor.adapters.scripted_model import ScriptedModel, Turn
from goalrunner_executor.agents.claude_api import ClaudeApiEngine
from goalrunner_executor.agents.command import CommandEngine
from goalrunner_executor.bench import Bench
from goalrunner_executor.ports import Engine
from goalrunner_executor.tools.process import Surroundings


@pytest.fixture
def surroundings() -> Surroundings:
    return Surroundings()


@pytest.fixture
def bench(tmp_path: Path, surroundings: Surroundings) -> Callable[..., Bench]:
    """A bench with the engine `claude-api` given, and the real `command`."""

    def make(engine: Engine | None = None) -> Bench:
        engines: dict[str, Engine] = {"command": CommandEngine(surroundings)}
        return Bench(tmp_path, engines | ({"claude-api": engine} if engine else {}))

    return make


@pytest.fixture
def claude(surroundings: Surroundings) -> Callable[[Sequence[Turn]], ClaudeApiEngine]:
    """The real engine on a scripted model."""

    def make(turns: Sequence[Turn]) -> ClaudeApiEngine:
        return ClaudeApiEngine(
            model=ScriptedModel(turns), prices=FlatPrices(), default_model="scripted", surroundings=surroundings
        )

    return make


@pytest.fixture
def transcript() -> Callable[[Bench], list[dict[str, Any]]]:
    """All transcript lines of a bench, invocation by invocation."""

    def read(bench: Bench) -> list[dict[str, Any]]:
        keys = (key for key in sorted(bench.memory.objects) if "/transcript-" in key)
        return [json.loads(line) for key in keys for line in bench.memory.objects[key].splitlines()]

    return read
