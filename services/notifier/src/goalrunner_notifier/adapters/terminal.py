"""The terminal as a channel: an outbox file that whoever has the screen reads."""

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from pydantic import BaseModel, ConfigDict, ValidationError

from goalrunner_notifier.ports import Notice


class Posted(BaseModel):
    """One line of the outbox; `edited` means that the notice takes the place of the message `id`."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    id: str
    edited: bool = False
    notice: Notice


class TerminalChannel:
    """Appends one JSON line for each notice to the outbox file, on disk before the id is returned.

    The id is derived from the notice's key: after a crash the same id is written again, and the reader drops a line
    that is not an edit and whose id it has seen.
    """

    name = "terminal"

    def __init__(self, outbox: Path) -> None:
        self._outbox = outbox

    def send(self, notice: Notice) -> str:
        message_id = uuid5(NAMESPACE_URL, f"goalrunner:terminal:{notice.key}").hex[:12]
        self._append(Posted(id=message_id, notice=notice))
        return message_id

    def edit(self, message_id: str, notice: Notice) -> None:
        self._append(Posted(id=message_id, edited=True, notice=notice))

    def _append(self, posted: Posted) -> None:
        self._outbox.parent.mkdir(parents=True, exist_ok=True)
        line = posted.model_dump_json().encode() + b"\n"
        with self._outbox.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(_line_end(file.fileno()) + line)
            file.flush()
            os.fsync(file.fileno())


def read_outbox(path: Path, offset: int = 0) -> tuple[list[Posted], int]:
    """What was posted from `offset` (bytes) on, and the offset to go on from; a line half written waits."""
    if not path.exists():
        return [], offset
    with path.open("rb") as file:
        file.seek(offset)
        whole, _, _ = file.read().rpartition(b"\n")
    if not whole:
        return [], offset
    return list(_posted(whole)), offset + len(whole) + 1


def _line_end(descriptor: int) -> bytes:
    """A writer that was killed may have left half a line: the next line starts afresh."""
    size = os.fstat(descriptor).st_size
    return b"\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else b""


def _posted(lines: bytes) -> Iterator[Posted]:
    for line in lines.split(b"\n"):
        try:
            yield Posted.model_validate_json(line)
        except ValidationError:
            # What a killed writer left of a line; its notice was written again.
            continue
