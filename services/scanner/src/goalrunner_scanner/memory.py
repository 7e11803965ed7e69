"""What the scanner remembers of the repository's files between scans and between processes."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from goalrunner_scanner.domain import Ended, Entry, Facts, Unreadable
from goalrunner_shared.blobs import Blobs

# Raise it whenever the same goal file comes to mean something else, or an entry gets another shape.
FORMAT = 1
PREFIX = "scanner/cache-"
SEGMENTS = 16

_SHAPES: Mapping[int, Any] = {len(kind._fields): kind._make for kind in (Facts, Unreadable, Ended)}


class Memory:
    """Entries by path, each good for one blob: a lost or an old entry costs one reading and is never wrong.

    In the bucket lies `scanner/cache-0`, and after it what has changed since, scan by scan; the last segment that
    names a path wins. Segments of another base, format or `goalrunner.yaml` are left alone and overwritten in time.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._entries: dict[str, Entry] = {}
        self._defaults: str | None = None
        self._base = ""
        self._segments = 0

    def recall(self, defaults: str) -> Mapping[str, Entry]:
        """The entries that were made under these defaults (a digest of `goalrunner.yaml`)."""
        if defaults != self._defaults:
            self._entries, self._defaults, self._base, self._segments = {}, defaults, "", 0
            for segment in self._stored():
                self._entries.update(segment)
        return self._entries

    def keep(self, fresh: Mapping[str, Entry], *, commit: str, listed: Collection[str]) -> None:
        """Remember `fresh`, and save it; now and then everything, without the files that are no longer `listed`."""
        self._entries.update(fresh)
        if not fresh:
            return
        if not self._base or self._segments >= SEGMENTS or len(fresh) * 4 > len(self._entries):
            self._entries = {path: entry for path, entry in self._entries.items() if path in listed}
            self._base, self._segments = commit, 0
            self._save(self._entries)
        else:
            self._save(fresh)

    def _save(self, entries: Mapping[str, Entry]) -> None:
        head = {"format": FORMAT, "defaults": self._defaults, "base": self._base}
        content = json.dumps({**head, "entries": entries}, separators=(",", ":"))
        self._blobs.put(f"{PREFIX}{self._segments}", content.encode())
        self._segments += 1

    def _stored(self) -> Iterator[dict[str, Entry]]:
        for number in range(SEGMENTS):
            content = self._blobs.get(f"{PREFIX}{number}")
            segment = self._opened(content, first=number == 0) if content else None
            if segment is None:
                return
            self._segments = number + 1
            yield segment

    def _opened(self, content: bytes, *, first: bool) -> dict[str, Entry] | None:
        try:
            found = json.loads(content)
            base = found["base"] if first else self._base
            if (found["format"], found["defaults"], found["base"]) != (FORMAT, self._defaults, base):
                return None
            entries = {path: _SHAPES[len(values)](values) for path, values in found["entries"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return None
        self._base = base
        return entries
