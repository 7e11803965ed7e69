import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from goalrunner_events import EVENTS, BlobRef, Meta
from goalrunner_events.schemas import schema_of
from goalrunner_shared.blobs import InMemoryBlobs
from goalrunner_shared.messages import read_event

FOLDER = Path(__file__).resolve().parents[2] / "events" / "examples"
EXAMPLES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*.json"))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_recorded_example_is_read_by_todays_model_and_valid_by_its_schema(example: str) -> None:
    name = example.partition("/")[0]
    detail = json.loads((FOLDER / example).read_text("utf-8"))
    checker = Draft202012Validator.FORMAT_CHECKER
    Draft202012Validator(schema_of(EVENTS[name]), format_checker=checker).validate(detail)
    meta, event = read_event(name, detail, blobs=InMemoryBlobs())
    assert type(event) is EVENTS[name]
    assert meta.event_id == event.event_id()


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_recorded_example_says_the_same_when_it_is_written_again(example: str) -> None:
    name = example.partition("/")[0]
    detail = json.loads((FOLDER / example).read_text("utf-8"))
    _, event = read_event(name, detail, blobs=InMemoryBlobs())
    written = event.model_dump(mode="json")
    assert {key: written[key] for key in detail["data"]} == detail["data"]


def test_the_examples_tell_one_story_whose_causes_are_in_it() -> None:
    metas = [Meta.model_validate(json.loads((FOLDER / example).read_text("utf-8"))["meta"]) for example in EXAMPLES]
    known = {meta.event_id for meta in metas}
    assert all(meta.causation_id is None or meta.causation_id in known for meta in metas)


def test_examples_are_only_ever_added_to(root: Path, at_head: Callable[[str], Mapping[str, str]]) -> None:
    for name, text in at_head("events/examples").items():
        assert (root / name).read_text("utf-8") == text, f"{name} was recorded: add another beside it"


def test_a_schema_refuses_what_its_model_refuses() -> None:
    reference = BlobRef(key="events/x.json", sha256="0" * 64, bytes=1).model_dump(mode="json")
    for example in EXAMPLES:
        detail = json.loads((FOLDER / example).read_text("utf-8"))
        validator = Draft202012Validator(schema_of(EVENTS[example.partition("/")[0]]))
        assert not validator.is_valid({"meta": detail["meta"]})
        assert not validator.is_valid({**detail, "data_ref": reference})
        assert not validator.is_valid({**detail, "meta": {**detail["meta"], "hops": 13}})
