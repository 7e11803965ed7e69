import json
from pathlib import Path
from typing import Any

import pytest

from goalrunner_local.model_server import script as script_module
from goalrunner_local.model_server.script import ScriptError, Text, read_script


def write(folder: Path, script: Any) -> Path:
    path = folder / "script.yaml"
    path.write_text(script if isinstance(script, str) else json.dumps(script), encoding="utf-8")
    return path


def turn(**keys: Any) -> dict[str, Any]:
    return {"conversations": [{"when": "g", "turns": [keys]}]}


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    said = "conversations:\n  - when: g\n    turns:\n      - content: Hello.\n"
    from_yaml = read_script(write(tmp_path, said))
    assert from_yaml == read_script(write(tmp_path, turn(content="Hello.")))
    assert from_yaml.conversations[0].turns[0].content == (Text(type="text", text="Hello."),)


def test_the_example_in_the_documentation_is_a_script(tmp_path: Path) -> None:
    assert script_module.__doc__
    script = read_script(write(tmp_path, script_module.__doc__.split("\n\n", 1)[1]))
    assert [len(conversation.turns) for conversation in script.conversations] == [3]


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("conversations: [", "script.yaml: while parsing"),
        ("", "top level: "),
        ({"conversations": [], "turns": []}, "turns: Extra inputs"),
        ({"conversations": [{"when": "g", "turns": []}]}, "conversations.0.turns: "),
        (turn(), "turns.0: Value error, content is missing"),
        (turn(content=[{"type": "text", "txt": "x"}]), "turns.0.content.0.text.text: Field required"),
        (turn(content=[{"type": "text", "text": ""}]), "turns.0.content.0.text.text: "),
        (turn(content=[{"type": "dance"}]), "turns.0.content.0: Input tag 'dance'"),
        (turn(content="You said {{anwser}}."), "unknown placeholder ['anwser']"),
        (turn(content=[{"type": "tool_use", "name": "x", "input": {"a": [{"b": "{{ no }}"}]}}]), "['no']"),
        (turn(content="x", stop_reason="tired"), "turns.0.stop_reason: "),
        (turn(content="x", delay_s=-1), "turns.0.delay_s: "),
        (turn(content="x", error_times=1), "error_times needs error"),
        (turn(content="x", error={"status": 529}), "content is never reached"),
        (turn(error={"status": 529}, error_times=2), "content is missing"),
        (turn(error={"status": 200}), "turns.0.error.status: "),
        (turn(content="x", usage={"tokens": 5}), "turns.0.usage.tokens: Extra inputs"),
    ],
)
def test_a_broken_script_is_refused_with_its_place(tmp_path: Path, script: Any, complaint: str) -> None:
    with pytest.raises(ScriptError) as error:
        read_script(write(tmp_path, script))
    assert complaint in str(error.value)


def test_a_missing_script_is_a_script_error(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"nowhere\.yaml"):
        read_script(tmp_path / "nowhere.yaml")
