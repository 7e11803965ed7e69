"""Idempotency as a port: something that is done once for a key, however often it is asked for."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol

from goalrunner_shared.aws import trouble_is_transient
from goalrunner_shared.errors import TransientError

KEPT_SECONDS = 30 * 24 * 3600
LEASE_SECONDS = 30


class Once(Protocol):
    """Do something once for a key, however often it is asked for."""

    def do(self, key: str, action: Callable[[], str]) -> str:
        """What `action` returned, now or the first time.

        TransientError while another is at it; one that was killed blocks its key until its lease ends.
        """


class InMemoryOnce:
    """The fake: an error takes the mark away, a kill leaves it until `end_leases()`."""

    def __init__(self) -> None:
        self._done: dict[str, str] = {}
        self._begun: set[str] = set()

    def do(self, key: str, action: Callable[[], str]) -> str:
        if key in self._done:
            return self._done[key]
        if key in self._begun:
            raise TransientError(f"{key} is being done by another")
        self._begun.add(key)
        try:
            self._done[key] = action()
        except Exception:
            self._begun.discard(key)
            raise
        self._begun.discard(key)
        return self._done[key]

    def end_leases(self) -> None:
        """Time passes: what was killed in the middle may be done again."""
        self._begun.clear()


class PowertoolsOnce:
    """Marks of what was done, under the partition `once` of the table.

    A process that was killed in the middle blocks its key for `lease` seconds (the function's time-out), and what it
    did is then done again. Marks are kept for 30 days, in the attribute `expiration` for the table's time to live.
    """

    def __init__(self, table: str, client: Callable[[], Any], *, lease: float = LEASE_SECONDS) -> None:
        self._table = table
        self._client = client
        self._lease = lease

    def do(self, key: str, action: Callable[[], str]) -> str:
        from aws_lambda_powertools.utilities.idempotency import (
            DynamoDBPersistenceLayer,
            IdempotencyConfig,
            idempotent_function,
        )
        from aws_lambda_powertools.utilities.idempotency.exceptions import IdempotencyAlreadyInProgressError

        store = DynamoDBPersistenceLayer(
            self._table, key_attr="pk", sort_key_attr="sk", static_pk_value="once", boto3_client=self._client()
        )
        # All that Powertools reads of a Lambda context is how long the function may still take.
        lease: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: round(self._lease * 1000))
        config = IdempotencyConfig(expires_after_seconds=KEPT_SECONDS, lambda_context=lease)

        act = idempotent_function(
            lambda key: action(), data_keyword_argument="key", persistence_store=store, config=config, key_prefix="once"
        )
        try:
            with trouble_is_transient():
                return str(act(key=key))
        except IdempotencyAlreadyInProgressError as error:
            raise TransientError(f"{key} is being done by another") from error
