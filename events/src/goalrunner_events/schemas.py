"""`python -m goalrunner_events.schemas [--check]`: the JSON Schema of every event, kept beside the code."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from goalrunner_events import EVENTS
from goalrunner_events.base import BlobRef, Event, Meta
from goalrunner_events.compatibility import breaking_changes

FOLDER = Path(__file__).resolve().parents[2] / "schemas"
DRAFT = "https://json-schema.org/draft/2020-12/schema"


class _Untitled(GenerateJsonSchema):
    """Without a title for each field: it only repeats the field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(event: type[Event]) -> dict[str, Any]:
    """The schema of an event's whole `detail`: `meta` with either `data` or `data_ref`."""
    references, definitions = models_json_schema(
        [(Meta, "validation"), (event, "validation"), (BlobRef, "validation")], schema_generator=_Untitled
    )
    meta, data, blob = (references[model, "validation"] for model in (Meta, event, BlobRef))
    return {
        "$schema": DRAFT,
        "title": event.TYPE,
        "oneOf": [_variant(meta=meta, data=data), _variant(meta=meta, data_ref=blob)],
        "$defs": definitions["$defs"],
    }


def _variant(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields, "required": list(fields)}


def generated(events: Mapping[str, type[Event]] = EVENTS) -> dict[str, str]:
    """File name → text of every schema."""
    return {f"{name}.json": json.dumps(schema_of(event), indent=2) + "\n" for name, event in sorted(events.items())}


def committed(folder: Path = FOLDER) -> dict[str, str]:
    """File name → text of the schemas that are there."""
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.json"))}


def breaks(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """What the schemas `new` break of `old`, a sentence each."""
    for name in sorted(old.keys() & new.keys()):
        for change in breaking_changes(json.loads(old[name]), json.loads(new[name])):
            yield f"{name}: {change}; make a V2 of the event beside it"


def drift(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[str]:
    """Where the files differ from what the models say, a sentence each."""
    for name in sorted(old.keys() | new.keys()):
        if name not in new:
            yield f"{name}: no event has this schema; delete the file once nobody publishes or hears it"
        elif old.get(name) != new[name]:
            yield f"{name}: is not what the models say; run python -m goalrunner_events.schemas"


def main(arguments: Sequence[str] | None = None, *, folder: Path = FOLDER) -> int:
    """Write the schemas, or with --check only compare; 1 where one would break, is stale or belongs to no event."""
    parser = argparse.ArgumentParser(prog="python -m goalrunner_events.schemas", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where a file is not up to date")
    check: bool = parser.parse_args(arguments).check
    new, old = generated(), committed(folder)
    problems = list(breaks(old, new))
    if not check and not problems:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in new.items():
            (folder / name).write_text(text, "utf-8")
        old = committed(folder)
    problems = problems or list(drift(old, new))
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
