"""The state of a conversation with a model: what a checkpoint holds."""

from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from goalrunner_executor.ports import Reply

Block = dict[str, Any]
SILENCE: Block = {"type": "text", "text": "(nothing)"}


class Call(NamedTuple):
    """A tool call of the model's."""

    id: str
    name: str
    input: object


class Conversation(BaseModel):
    """`results` belong to the calls of the last reply as long as some of them have none.

    `answered` counts the questions whose answers the model has got, `seconds` the time spent so far, `known_size` and
    `known_tokens` are bytes and tokens of the last request and its reply, as measured.
    """

    model_config = ConfigDict(frozen=True)

    messages: tuple[dict[str, Any], ...]
    results: tuple[Block, ...] = ()
    turns: int = 0
    answered: int = 0
    reminded: bool = False
    stop_reason: str = ""
    cut_by_budget: bool = False
    seconds: float = 0.0
    known_size: int = 0
    known_tokens: int = 0

    @classmethod
    def begin(cls, text: str) -> Self:
        return cls(messages=(_said("user", [{"type": "text", "text": text}]),))

    @property
    def models_turn(self) -> bool:
        """Whether the next word is the model's: it has all it asked for, or it paused in mid-sentence."""
        return self.messages[-1]["role"] == "user" or (self.stop_reason == "pause_turn" and not self.calls)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The tool calls of the last reply."""
        last = self.messages[-1]
        if last["role"] != "assistant":
            return ()
        return tuple(Call(each["id"], each["name"], each["input"]) for each in last["content"] if _is_call(each))

    @property
    def open_calls(self) -> tuple[Call, ...]:
        """Those that have no result yet."""
        have = {each["tool_use_id"] for each in self.results}
        return tuple(call for call in self.calls if call.id not in have)

    def replied(self, reply: Reply, *, cut_by_budget: bool, size: int) -> Self:
        """With the model's reply to a request of `size` bytes."""
        spoken = [each for each in reply.content if each.get("type") != "text" or each.get("text", "").strip()]
        return self.model_copy(
            update={
                "messages": (*self.messages, _said("assistant", spoken or [SILENCE])),
                "turns": self.turns + 1,
                "stop_reason": reply.stop_reason,
                "cut_by_budget": cut_by_budget,
                "known_size": size,
                "known_tokens": reply.tokens.all_input,
            }
        )

    def with_result(self, call: Call, text: str, *, failed: bool = False) -> Self:
        """With the result of one call."""
        result: Block = {"type": "tool_result", "tool_use_id": call.id, "content": text}
        if failed:
            result["is_error"] = True
        return self.model_copy(update={"results": (*self.results, result)})

    def with_results_sent(self, *notes: str | None) -> Self:
        """With the results of all calls, and what else there is to say, as the next message."""
        texts = [{"type": "text", "text": note} for note in notes if note]
        message = _said("user", [*self.results, *texts])
        return self.model_copy(update={"messages": (*self.messages, message), "results": (), "reminded": False})

    def told(self, text: str) -> Self:
        """With a word to the model: a message of its own, or at the end of the one that is about to be sent."""
        block = {"type": "text", "text": text}
        last = self.messages[-1]
        if last["role"] == "assistant":
            return self.model_copy(update={"messages": (*self.messages, _said("user", [block]))})
        if last["content"][-1] == block:
            return self
        return self.model_copy(update={"messages": (*self.messages[:-1], _said("user", [*last["content"], block]))})


def _said(role: str, content: list[Block]) -> dict[str, Any]:
    return {"role": role, "content": content}


def _is_call(block: Block) -> bool:
    return block.get("type") == "tool_use"
