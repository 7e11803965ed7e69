"""The suite that every engine passes: the fake, and claude-api on a scripted model."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from goalrunner_executor.adapters.scripted_model import Turn, said, tool
from goalrunner_executor.agents.claude_api import ClaudeApiEngine
from goalrunner_executor.agents.scripted import Act, Ask, Busy, Finish, Note, ScriptedEngine, Shell, Write
from goalrunner_executor.conformance import EngineConformance, MakeEngine
from goalrunner_executor.ports import ModelBusy


class TestScriptedEngine(EngineConformance):
    @pytest.fixture
    def make_engine(self) -> MakeEngine:
        return ScriptedEngine


class TestClaudeApi(EngineConformance):
    @pytest.fixture
    def make_engine(self, claude: Callable[[Sequence[Turn]], ClaudeApiEngine]) -> MakeEngine:
        return lambda acts: claude(list(_turns(acts)))


def _turns(acts: Sequence[Act]) -> list[Turn]:
    turns: list[Turn] = []
    busy = 0
    for act in acts:
        if isinstance(act, Busy):
            busy = act.times
            continue
        turn = _turn(act)
        turns.append([*[ModelBusy("the model is overloaded: scripted")] * busy, turn] if busy else turn)  # type: ignore[list-item]
        busy = 0
    return turns


def _turn(act: Act) -> Turn:
    match act:
        case Write():
            return said(tool("write_file", path=f"out/{act.path}", content=act.text))
        case Note():
            return lambda request: said(tool("write_file", path=f"out/{act.path}", content=_last_result(request)))
        case Shell():
            return said(tool("shell", command=act.command, timeout=act.timeout))
        case Ask():
            return said(tool("ask_human", question=act.question, options=list(act.options), default=act.default))
        case Finish():
            proof = {"criterion": "AC1", "met": True, "note": "see out/"}
            return said(tool("finish", outcome="done", summary=act.summary, evidence=[proof]))
        case Busy():
            raise AssertionError("belongs to the next act")


def _last_result(request: dict[str, Any]) -> str:
    return str(request["messages"][-1]["content"][0]["content"])
