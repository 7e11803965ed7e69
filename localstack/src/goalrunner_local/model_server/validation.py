"""Refuse what the real API refuses: first by the SDK's own types, then by the API's rules."""

import functools
from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal

import pydantic

from goalrunner_local.model_server.api_error import ApiError
from goalrunner_local.model_server.rules import RULES
from goalrunner_local.model_server.wire_types import wire_type

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Call = Literal["messages", "count_tokens"]


def check_request(body: Any, *, call: Call = "messages", beta: bool = False) -> None:
    """Raise `ApiError` (400, invalid_request_error) that names the first field the API would refuse in `body`."""
    try:
        streams = isinstance(body, dict) and body.get("stream") is True
        request_type(call, streams=streams, beta=beta).validate_python(body)
    except pydantic.ValidationError as error:
        raise ApiError(400, _describe(error.errors(include_url=False)[0])) from error
    if body.get("thread"):
        raise ApiError(400, "thread: the scripted model keeps no threads; send the whole conversation")
    if complaint := next(chain.from_iterable(rule(body) for rule in RULES), None):
        raise ApiError(400, complaint)


@functools.cache
def request_type(call: Call, *, streams: bool, beta: bool) -> pydantic.TypeAdapter[Any]:
    """The body of a call, strictly. The first use imports the SDK, which takes one to three seconds."""
    from anthropic.types import message_count_tokens_params, message_create_params
    from anthropic.types.beta import message_count_tokens_params as beta_count_tokens_params
    from anthropic.types.beta import message_create_params as beta_create_params

    if call == "count_tokens":
        count = beta_count_tokens_params if beta else message_count_tokens_params
        return pydantic.TypeAdapter(wire_type(count.MessageCountTokensParams))
    create = beta_create_params if beta else message_create_params
    kind = create.MessageCreateParamsStreaming if streams else create.MessageCreateParamsNonStreaming
    return pydantic.TypeAdapter(wire_type(kind))


def _describe(error: "ErrorDetails") -> str:
    message, value = error["msg"], error["input"]
    if error["type"] == "tag" and isinstance(value, Mapping) and "type" in value:
        message = message.replace("Input tag", f"Input tag {value['type']!r}", 1)
    at = ".".join(str(part) for part in error["loc"] if not str(part).startswith("<"))
    return f"{at or 'body'}: {message}"
