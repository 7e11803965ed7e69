import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from goalrunner_events import EVENTS
from goalrunner_events.schemas import generated, main, schema_of


def tampered(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert main([], folder=tmp_path) == 0
    return tmp_path


def test_what_was_written_passes_the_check(folder: Path) -> None:
    assert main(["--check"], folder=folder) == 0
    assert sorted(path.stem for path in folder.iterdir()) == sorted(EVENTS)


def test_writing_twice_gives_the_same_bytes(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main([], folder=folder) == 0
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert all(content.endswith(b"}\n") for content in before.values())


def test_an_edited_description_is_drift_and_is_written_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tampered(folder, "goal.due.v1.json", "Make this attempt", "Make that attempt")
    assert main(["--check"], folder=folder) == 1
    assert "goal.due.v1.json: is not what the models say" in capsys.readouterr().err
    assert main([], folder=folder) == 0
    assert main(["--check"], folder=folder) == 0


def test_a_missing_schema_is_drift(folder: Path) -> None:
    (folder / "goal.due.v1.json").unlink()
    assert main(["--check"], folder=folder) == 1


def test_a_break_is_refused_and_nothing_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tampered(folder, "goal.due.v1.json", '"request_id": {', '"requested_by": {')
    tampered(folder, "step.ready.v1.json", "Run this step.", "Run that step.")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main([], folder=folder) == 1
    assert "data.requested_by: removed; make a V2 of the event beside it" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_schema_without_an_event_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "goal.lost.v1.json").write_text("{}\n", "utf-8")
    assert main(["--check"], folder=folder) == 1
    assert "goal.lost.v1.json: no event has this schema" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_a_schema_is_valid_and_wants_exactly_one_of_data_and_data_ref(name: str) -> None:
    schema = schema_of(EVENTS[name])
    Draft202012Validator.check_schema(schema)
    meta = {"event_id": "e", "correlation_id": "c", "occurred_at": "2026-01-01T10:00:00Z"}
    reference = {"key": "events/x.json", "sha256": "0" * 64, "bytes": 1}
    validator = Draft202012Validator(schema)
    assert validator.is_valid({"meta": meta, "data_ref": reference})
    assert not validator.is_valid({"meta": meta})
    assert not validator.is_valid({"data_ref": reference})


def test_the_generated_text_is_json_in_a_stable_order() -> None:
    assert generated() == generated()
    assert list(generated()) == sorted(generated())
    assert all(json.dumps(json.loads(text), indent=2) + "\n" == text for text in generated().values())
