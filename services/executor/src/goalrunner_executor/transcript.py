"""All that happened in one invocation, in order, as JSON lines."""

import json
from typing import Any

from goalrunner_shared.clock import Clock


class Transcript:
    """Kept in memory while the agent works, uploaded when it leaves."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: list[str] = []

    def note(self, kind: str, **fields: Any) -> None:
        """Append one line."""
        line = {"at": self._clock().isoformat(), "kind": kind, **fields}
        self._lines.append(json.dumps(line, ensure_ascii=False, default=str))

    def content(self) -> bytes:
        """The lines so far."""
        return "".join(f"{line}\n" for line in self._lines).encode("utf-8", "replace")
