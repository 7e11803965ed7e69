"""Showing the journal: what `goalrunner events` prints."""

import json
import time
from collections.abc import Callable, Iterator

import typer

from goalrunner_local.choose import Choice
from goalrunner_local.functions import RunSettings
from goalrunner_local.system import attached_system
from goalrunner_shared.blobs import Blobs
from goalrunner_shared.errors import InputError
from goalrunner_shared.journal import FOLDER, JournalEntry, in_order, read_entry

FOLLOW_SECONDS = 0.5


def show_events(choice: Choice, *, attempt: str | None, follow: bool, as_json: bool) -> None:
    """Print the journal, of one attempt or whole; InputError where there is nothing of that attempt."""
    if not choice.state.root.exists():
        raise InputError(f"nothing has run yet in {choice.state.root}: type goalrunner up --once first")
    show = _as_json if as_json else _as_line
    seen: set[str] = set()
    with attached_system(choice.state, RunSettings(choice.repository)) as system:
        prefix = f"{FOLDER}{attempt}/" if attempt else FOLDER
        _print(_new_entries(system.blobs, prefix, seen), show)
        if attempt and not seen and not follow:
            raise InputError(f"the journal knows no attempt {attempt}: goalrunner status lists them")
        while follow:
            time.sleep(FOLLOW_SECONDS)
            _print(_new_entries(system.blobs, prefix, seen), show)


def _new_entries(blobs: Blobs, prefix: str, seen: set[str]) -> Iterator[JournalEntry]:
    keys = [key for key in blobs.keys(prefix) if key not in seen]
    seen.update(keys)
    contents = (blobs.get(key) for key in keys)
    yield from in_order([read_entry(content) for content in contents if content is not None])


def _print(entries: Iterator[JournalEntry], show: Callable[[JournalEntry], str]) -> None:
    for entry in entries:
        typer.echo(show(entry))


def _as_json(entry: JournalEntry) -> str:
    return json.dumps(entry.envelope)


def _as_line(entry: JournalEntry) -> str:
    return f"{entry.meta.occurred_at:%Y-%m-%d %H:%M:%S}  {entry.type:<28}  {entry.meta.correlation_id}"
