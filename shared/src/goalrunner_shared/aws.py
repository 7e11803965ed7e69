"""AWS clients, made when first needed and then kept: the cold start pays for what it uses."""

from collections.abc import Callable
from functools import cache
from typing import Any


@cache
def client(name: str) -> Any:
    """The boto3 client of a service; endpoint, region and credentials come from AWS's own variables."""
    import boto3

    return boto3.client(name)


def client_of(name: str) -> Callable[[], Any]:
    """A client to be made later."""
    return lambda: client(name)
