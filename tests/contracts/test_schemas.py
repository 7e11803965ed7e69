from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath

from goalrunner_events.schemas import breaks, committed, drift, generated

AtHead = Callable[[str], Mapping[str, str]]


def test_the_committed_schemas_are_what_the_models_say(root: Path) -> None:
    assert list(drift(committed(root / "events" / "schemas"), generated())) == []


def test_the_models_break_none_of_the_committed_schemas(root: Path) -> None:
    assert list(breaks(committed(root / "events" / "schemas"), generated())) == []


def test_the_models_break_nothing_of_the_last_commit(at_head: AtHead) -> None:
    before = {PurePosixPath(name).name: text for name, text in at_head("events/schemas").items()}
    assert list(breaks(before, generated())) == []
