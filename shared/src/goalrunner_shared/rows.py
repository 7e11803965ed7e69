"""Rows of a service's own table, each changed only on the condition that nobody else has changed it."""

from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from goalrunner_shared.aws import trouble_is_transient
from goalrunner_shared.errors import PermanentError, TransientError

RETRIES = 10
# DynamoDB takes items of 400 KB, names and keys included.
MAX_ROW_BYTES = 390_000


class Row(BaseModel):
    """One row; a subclass names its kind. `version` counts its changes and belongs to the table."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True)
    KIND: ClassVar[str]

    version: int = 0


R = TypeVar("R", bound=Row)


class Rows(Protocol):
    """The table; every method may raise TransientError, writing a row of more than 390 KB PermanentError."""

    def get(self, kind: type[R], key: str) -> R | None:
        """The row, read consistently; None where there is none."""

    def add(self, key: str, row: Row) -> bool:
        """Write a row that does not exist yet; whether it was written."""

    def replace(self, key: str, row: Row) -> bool:
        """Write over the version that `row` was read at; whether nobody was faster."""

    def remove(self, key: str, row: Row) -> bool:
        """Delete the version that `row` was read at; whether nobody was faster."""

    def all(self, kind: type[R]) -> Iterator[tuple[str, R]]:
        """Every row of a kind with its key, in key order."""


def change(rows: Rows, kind: type[R], key: str, step: Callable[[R], R | None]) -> R | None:
    """Read, apply `step` (None: leave it alone), write; again where somebody was faster.

    Returns the row as it stands afterwards, None where there is none.
    """
    for _ in range(RETRIES):
        row = rows.get(kind, key)
        if row is None:
            return None
        changed = step(row)
        if changed is None:
            return row
        if rows.replace(key, changed):
            return changed.model_copy(update={"version": row.version + 1})
    raise TransientError(f"{kind.KIND} {key} is changed by too many at once")


class InMemoryRows:
    """The fake: a dict of JSON texts, so that nothing is shared by reference."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], tuple[int, str]] = {}
        self._writing = Lock()

    def get(self, kind: type[R], key: str) -> R | None:
        found = self.items.get((kind.KIND, key))
        return _read(kind, *found) if found else None

    def add(self, key: str, row: Row) -> bool:
        text = _text(row)
        with self._writing:
            if (row.KIND, key) in self.items:
                return False
            self.items[row.KIND, key] = (1, text)
            return True

    def replace(self, key: str, row: Row) -> bool:
        text = _text(row)
        with self._writing:
            held = self.items.get((row.KIND, key))
            if held is None or held[0] != row.version:
                return False
            self.items[row.KIND, key] = (row.version + 1, text)
            return True

    def remove(self, key: str, row: Row) -> bool:
        with self._writing:
            held = self.items.get((row.KIND, key))
            if held is None or held[0] != row.version:
                return False
            del self.items[row.KIND, key]
            return True

    def all(self, kind: type[R]) -> Iterator[tuple[str, R]]:
        for (name, key), found in sorted(self.items.items()):
            if name == kind.KIND:
                yield key, _read(kind, *found)


class DynamoRows:
    """Items with `pk` (the kind), `sk` (the key), `version` and `data` (JSON)."""

    def __init__(self, table: str, client: Callable[[], Any]) -> None:
        self._table = table
        self._client = client

    @trouble_is_transient()
    def get(self, kind: type[R], key: str) -> R | None:
        found = self._client().get_item(TableName=self._table, Key=_key(kind.KIND, key), ConsistentRead=True)
        return _row(kind, found["Item"]) if "Item" in found else None

    def add(self, key: str, row: Row) -> bool:
        return self._put(key, row, version=1, ConditionExpression="attribute_not_exists(pk)")

    def replace(self, key: str, row: Row) -> bool:
        return self._put(
            key,
            row,
            version=row.version + 1,
            ConditionExpression="version = :read",
            ExpressionAttributeValues={":read": {"N": str(row.version)}},
        )

    @trouble_is_transient()
    def _put(self, key: str, row: Row, *, version: int, **condition: Any) -> bool:
        client = self._client()
        item = {**_key(row.KIND, key), "version": {"N": str(version)}, "data": {"S": _text(row)}}
        try:
            client.put_item(TableName=self._table, Item=item, **condition)
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    @trouble_is_transient()
    def remove(self, key: str, row: Row) -> bool:
        client = self._client()
        try:
            client.delete_item(
                TableName=self._table,
                Key=_key(row.KIND, key),
                ConditionExpression="version = :read",
                ExpressionAttributeValues={":read": {"N": str(row.version)}},
            )
        except client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def all(self, kind: type[R]) -> Iterator[tuple[str, R]]:
        pages = (
            self._client()
            .get_paginator("query")
            .paginate(
                TableName=self._table,
                KeyConditionExpression="pk = :kind",
                ExpressionAttributeValues={":kind": {"S": kind.KIND}},
                ConsistentRead=True,
            )
        )
        with trouble_is_transient():
            for page in pages:
                for item in page["Items"]:
                    yield item["sk"]["S"], _row(kind, item)


def _key(kind: str, key: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": kind}, "sk": {"S": key}}


def _text(row: Row) -> str:
    text = row.model_dump_json(exclude={"version"})
    if len(text.encode()) > MAX_ROW_BYTES:
        raise PermanentError(f"a row {row.KIND} of {len(text.encode())} bytes is too big for the table")
    return text


def _row(kind: type[R], item: dict[str, Any]) -> R:
    return _read(kind, int(item["version"]["N"]), item["data"]["S"])


def _read(kind: type[R], version: int, text: str) -> R:
    return kind.model_validate_json(text).model_copy(update={"version": version})
