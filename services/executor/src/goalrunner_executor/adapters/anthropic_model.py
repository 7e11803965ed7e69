"""The Messages API of Anthropic, through its SDK."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

from goalrunner_executor.ports import ModelBusy, Reply
from goalrunner_executor.spend import Tokens
from goalrunner_shared.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from anthropic import Anthropic, APIStatusError
    from anthropic.types import Message

BUSY = frozenset({429, 503, 529})


class AnthropicModel:
    """Calls the API; the SDK is imported at the first call (it costs more than the rest of the executor)."""

    def __init__(self, *, api_key: str | None, base_url: str | None, max_retries: int = 2) -> None:
        self._api_key = api_key
        self._base_url = base_url
        self._max_retries = max_retries

    def create(self, *, timeout: float, **request: Any) -> Reply:
        if not self._api_key:
            raise PermanentError("this goal needs a model: set ANTHROPIC_API_KEY")
        from anthropic import APIConnectionError, APIResponseValidationError, APIStatusError

        try:
            message: Message = self._client.messages.create(timeout=timeout, **request)
        except APIStatusError as error:
            raise _mapped(error) from error
        except (APIConnectionError, APIResponseValidationError) as error:
            raise TransientError(f"the model did not answer: {error}") from error
        return _reply(message)

    @cached_property
    def _client(self) -> "Anthropic":
        from anthropic import Anthropic

        return Anthropic(api_key=self._api_key, base_url=self._base_url, max_retries=self._max_retries)


def _mapped(error: "APIStatusError") -> TransientError | PermanentError:
    words = f"{_words(error)} (HTTP {error.status_code}, request {error.request_id})"
    if error.status_code in BUSY:
        return ModelBusy(f"the model is overloaded: {words}")
    if error.status_code >= 500 or error.status_code in (408, 409):
        return TransientError(f"the model's provider failed: {words}")
    return PermanentError(f"the model's provider refused the request: {words}")


def _words(error: "APIStatusError") -> str:
    body = error.body
    inner = body.get("error") if isinstance(body, dict) else None
    said = inner.get("message") if isinstance(inner, dict) else None
    return str(said or error.message)


def _reply(message: "Message") -> Reply:
    usage = message.usage
    return Reply(
        content=[block.model_dump(mode="json", exclude_none=True) for block in message.content],
        stop_reason=message.stop_reason or "end_turn",
        tokens=Tokens(
            input=usage.input_tokens,
            output=usage.output_tokens,
            cache_read=usage.cache_read_input_tokens or 0,
            cache_write=usage.cache_creation_input_tokens or 0,
        ),
        request_id=message.id,
    )
