"""What was asked and what was answered, for tests and for reading afterwards."""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, overload

CREDENTIALS = frozenset({"x-api-key", "authorization"})


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `body` is None when the request held no JSON. Credentials are left out."""

    at: float
    method: str
    target: str
    headers: Mapping[str, str]
    body: Any
    status: int
    reply: Mapping[str, Any]


@dataclass
class Exchanges(Sequence[Exchange]):
    """Exchanges in the order in which they were answered; each is also a JSON line of the file `log`, if given."""

    log: Path | None = None
    _rows: list[Exchange] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(
        self,
        *,
        method: str,
        target: str,
        headers: Mapping[str, str],
        raw: bytes,
        status: int,
        reply: Mapping[str, Any],
    ) -> None:
        shown = {name: "[left out]" if name in CREDENTIALS else value for name, value in headers.items()}
        row = Exchange(time.time(), method, target, shown, _json_or_none(raw), status, reply)
        with self._lock:
            self._rows.append(row)
            if self.log:
                with self.log.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(row)) + "\n")

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> list[Exchange]: ...
    def __getitem__(self, index: int | slice) -> Exchange | list[Exchange]:
        return self._rows[index]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Exchange]:
        return iter(list(self._rows))


def _json_or_none(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
