"""The engine `claude-api`: a loop over the Messages API with our own tools."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from goalrunner_events import Outcome
from goalrunner_executor import prompt
from goalrunner_executor.agents.conversation import Call, Conversation
from goalrunner_executor.budget import allow, budget_reached, estimate_input
from goalrunner_executor.exits import DeadlineNear, Finished, LimitReached
from goalrunner_executor.ports import Model, ModelBusy, Prices, Run
from goalrunner_executor.spend import Tokens
from goalrunner_executor.tools.dialogue import ASK, FINISH, clarification, dialogue_tools, ending
from goalrunner_executor.tools.process import Surroundings
from goalrunner_executor.tools.tool import ToolFailed
from goalrunner_executor.tools.toolbox import tools_for
from goalrunner_shared.errors import PermanentError

# A call that begins just before the deadline may run into the margin that is kept before the function's end.
SHORTEST_CALL = 45.0
LONGEST_CALL = 600.0
UNFINISHED = "the agent stopped without saying how it ended"


@dataclass(frozen=True)
class ClaudeApiEngine:
    """Talks to `model`; a goal that names no model gets `default_model`. `now` measures seconds."""

    model: Model
    prices: Prices
    default_model: str
    surroundings: Surroundings
    now: Callable[[], float] = time.monotonic

    def run(self, run: Run) -> Finished:
        return _Session(self, run).work()


class _Session:
    """One invocation's share of a conversation; `self.talk` and `self.spend` are what a save makes last."""

    def __init__(self, engine: ClaudeApiEngine, run: Run) -> None:
        self.engine = engine
        self.run = run
        self.model = run.job.agent.model or engine.default_model
        self.tools = tools_for(run, engine.surroundings)
        self.definitions = [*(tool.definition() for tool in self.tools.values()), *dialogue_tools()]
        self.spend = run.spend
        self.began = engine.now()
        self.in_doubt = run.taken_over
        self.talk = self._talk_so_far()
        self.moved = prompt.MOVED if self.talk.turns else None

    def work(self) -> Finished:
        if self.moved and self.talk.messages[-1]["role"] == "user":
            self.talk = self.talk.told(self.moved)
            self.moved = None
        while True:
            finished = None if self.talk.models_turn else self._act()
            if finished is not None:
                return finished
            if self.talk.models_turn:
                self._call_model()

    def _talk_so_far(self) -> Conversation:
        if self.run.checkpoint is not None:
            return Conversation.model_validate_json(self.run.checkpoint)
        talk = Conversation.begin(prompt.first_message(self.run.job, self.run.clock()))
        self.run.note("prompt", model=self.model, system=prompt.SYSTEM, tools=self.definitions, messages=talk.messages)
        return talk

    # What follows from the last reply.

    def _act(self) -> Finished | None:
        """Do what the last reply asks for; the end, where it is the end."""
        talk = self.talk
        if talk.stop_reason == "refusal":
            return Finished(outcome=Outcome.FAILED, reason="the model refused to work on this goal")
        if talk.stop_reason == "model_context_window_exceeded":
            return Finished(outcome=Outcome.FAILED, reason="the conversation has become too long for the model")
        if talk.stop_reason == "max_tokens":
            self._go_on_after_cut()
            return None
        if talk.calls:
            return self._answer_calls()
        if talk.reminded:
            return Finished(outcome=Outcome.FAILED, reason=UNFINISHED)
        self.talk = talk.told(prompt.REMINDER).model_copy(update={"reminded": True})
        return None

    def _go_on_after_cut(self) -> None:
        if self.talk.cut_by_budget:
            raise budget_reached(self.run.job.budget_usd or 0.0, self.spend.cost_usd, self.run.job.path)
        if not self.talk.calls:
            self.talk = self.talk.told(prompt.CUT_OFF)
            return
        for call in self.talk.open_calls:
            self._result(call, prompt.NOT_RUN_CUT, failed=True)
        self._send_results()

    def _answer_calls(self) -> Finished | None:
        if any(call.name == ASK for call in self.talk.calls):
            self._ask()
            return None
        for call in self.talk.open_calls:
            self._leave_near_deadline()
            if call.name == FINISH:
                finished = self._finish(call)
                if finished is not None:
                    return finished
            else:
                self._use(call)
            self._save()
        self._send_results()
        return None

    def _ask(self) -> None:
        """Leave with the question, or, where its answer is there, go on with it."""
        asked = next(call for call in self.talk.calls if call.name == ASK)
        note = None
        for call in self.talk.open_calls:
            if call.id != asked.id:
                self._result(call, prompt.NOT_RUN_ASKED, failed=True)
                continue
            try:
                question = clarification(call.input)
            except ToolFailed as error:
                self._result(call, str(error), failed=True)
                continue
            if self.talk.answered == len(self.run.answers):
                self._save()
                raise question
            answer = self.run.answers[self.talk.answered]
            note = prompt.answer_note(answer)
            self._result(call, prompt.answer_text(answer))
            self.talk = self.talk.model_copy(update={"answered": self.talk.answered + 1})
        self._send_results(note)

    def _finish(self, call: Call) -> Finished | None:
        try:
            return ending(call.input, self.run.job.criteria)
        except ToolFailed as error:
            self._result(call, str(error), failed=True)
            return None

    def _use(self, call: Call) -> None:
        doubtful, self.in_doubt = self.in_doubt, False
        tool = self.tools.get(call.name)
        if tool is None:
            self._result(call, f"there is no tool {call.name!r} here", failed=True)
        elif doubtful and not tool.repeatable:
            self._result(call, prompt.INTERRUPTED, failed=True)
        else:
            try:
                self._result(call, prompt.untrusted(call.name, tool.call(call.input)))
            except ToolFailed as error:
                self._result(call, prompt.untrusted(call.name, str(error)), failed=True)

    def _result(self, call: Call, text: str, *, failed: bool = False) -> None:
        self.run.note("tool", id=call.id, name=call.name, input=call.input, result=text, failed=failed)
        self.talk = self._timed(self.talk.with_result(call, text, failed=failed))

    def _send_results(self, *notes: str | None) -> None:
        self.talk = self.talk.with_results_sent(*notes, self.moved)
        self.moved = None

    # The next reply.

    def _call_model(self) -> None:
        self._leave_near_deadline()
        self._keep_limits()
        request = self._request()
        size = len(json.dumps(request))
        allowance = allow(
            input_tokens=estimate_input(size, known_size=self.talk.known_size, known_tokens=self.talk.known_tokens),
            limit_usd=self.run.job.budget_usd,
            spent_usd=self.spend.cost_usd,
            cost=self._cost,
            path=self.run.job.path,
        )
        self.spend = self.spend.reserve(allowance.reserve_usd, model=self.model)
        self._save()
        limits = {"max_tokens": allowance.max_tokens, "reserved_usd": allowance.reserve_usd}
        self.run.note("request", turn=self.talk.turns + 1, messages=len(self.talk.messages), **limits)
        try:
            reply = self.engine.model.create(timeout=self._patience(), max_tokens=allowance.max_tokens, **request)
        except (ModelBusy, PermanentError):
            self.spend = self.spend.release()
            self._save()
            raise
        self.in_doubt = False
        self.spend = self.spend.settle(self._cost(reply.tokens), reply.tokens)
        self.talk = self._timed(self.talk.replied(reply, cut_by_budget=allowance.cut, size=size))
        self.run.note("reply", content=reply.content, stop_reason=reply.stop_reason, request_id=reply.request_id)
        self._save()

    def _request(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "system": prompt.SYSTEM,
            "tools": self.definitions,
            "messages": list(self.talk.messages),
        }

    def _cost(self, tokens: Tokens) -> float:
        return self.engine.prices.cost(self.model, tokens)

    def _patience(self) -> float:
        return min(LONGEST_CALL, max(SHORTEST_CALL, self.run.remaining()))

    # Limits, and what outlives this invocation.

    def _leave_near_deadline(self) -> None:
        if self.run.remaining() <= 0:
            self._save()
            raise DeadlineNear

    def _keep_limits(self) -> None:
        agent = self.run.job.agent
        if self.talk.turns >= agent.max_turns:
            raise LimitReached(f"stopped after {agent.max_turns} turns; raise agent.max_turns in {self.run.job.path}")
        if self.talk.seconds >= agent.timeout_seconds:
            raise LimitReached(f"no result after {agent.timeout_seconds} s (its timeout)")

    def _timed(self, talk: Conversation) -> Conversation:
        """Time counts where something has come of it, so that a save without progress changes nothing."""
        now = self.engine.now()
        spent, self.began = now - self.began, now
        return talk.model_copy(update={"seconds": round(talk.seconds + spent, 3)})

    def _save(self) -> None:
        self.run.save(self.talk.model_dump_json().encode(), self.spend)
