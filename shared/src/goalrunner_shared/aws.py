"""AWS clients, made when first needed and then kept: the cold start pays for what it uses."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from goalrunner_shared.errors import TransientError

THROTTLED = frozenset({"ThrottlingException", "Throttling", "ProvisionedThroughputExceededException", "SlowDown"})


@cache
def client(name: str) -> Any:
    """The client of an AWS service; endpoint, region and credentials come from AWS's own variables.

    It is what `boto3.client` would give, without the parts of boto3 round it: a sixth less to load at a cold start.
    """
    from botocore.session import get_session

    return get_session().create_client(name)


def client_of(name: str) -> Callable[[], Any]:
    """A client to be made later."""
    return lambda: client(name)


@contextmanager
def trouble_is_transient() -> Iterator[None]:
    """AWS out of reach, overloaded or broken becomes TransientError; every other refusal passes as it is."""
    from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

    try:
        yield
    except (ConnectionError, HTTPClientError) as error:
        raise TransientError(str(error)) from error
    except ClientError as error:
        answer = error.response
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or answer.get("Error", {}).get("Code") in THROTTLED:
            raise TransientError(str(error)) from error
        raise
