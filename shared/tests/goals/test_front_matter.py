from typing import Any

import pytest
import yaml

from goalrunner_shared.goals.front_matter import FrontMatterError, PlainLoader, line_of, load_mapping


class PurePythonLoader(yaml.SafeLoader):
    resolve = PlainLoader.resolve
    descend_resolver = PlainLoader.descend_resolver
    ascend_resolver = PlainLoader.ascend_resolver


@pytest.fixture(params=[PlainLoader, PurePythonLoader])
def loader(request: pytest.FixtureRequest) -> type[Any]:
    """The loader on libyaml, and the one for a PyYAML that was built without it."""
    found: type[Any] = request.param
    return found


def test_plain_data_is_read(loader: type[Any]) -> None:
    text = "a: 1\nb: -2.5\nc: [true, null, ~, False]\nd: {e: 'f', g: \"1\"}\nh:\n- |\n  x\ni: 1e3\n"
    assert load_mapping(text, loader) == {
        "a": 1, "b": -2.5, "c": [True, None, None, False], "d": {"e": "f", "g": "1"}, "h": ["x\n"], "i": 1000.0,
    }  # fmt: skip


def test_what_looks_like_another_type_in_yaml_1_1_is_text(loader: type[Any]) -> None:
    for word in ("yes", "off", "10:00", "2027-01-01", "0x1f", "1_000", ".nan", ".inf", "9" * 30):
        assert load_mapping(f"a: {word}\n", loader) == {"a": word}


@pytest.mark.parametrize(
    ("text", "line", "fragment"),
    [
        ("a: 1\nb: &x 2\n", 2, "anchor `&x`"),
        ("a: 1\nb: !!python/name:os.system ''\n", 2, "python/name:os.system"),
        ("a: 1\na: 2\n", 2, "stands here twice"),
        ("a: {b: 1,\n b: 2}\n", 2, "stands here twice"),
        ("a: 'x\ny: 2\n", 1, "not YAML"),
        ("a: 1\nb: \x07\n", 2, "a character that no text file"),
        ("é: 1\nb: \x07\n", 2, "a character that no text file"),
        ("- a\n", 1, "a list"),
        ("a: " + "[" * 41 + "]" * 41 + "\n", 1, "nested more than"),
        ("a: " + "[" * 5000 + "\n", 1, "nested more than"),
        ("- " * 5000 + "\n", 1, "nested more than"),
        ("? " * 5000 + "\n", 1, "nested more than"),
        ("".join(f"{' ' * depth}a:\n" for depth in range(600)), 1, "nested too deep"),
    ],
)
def test_what_is_not_allowed_is_refused_with_its_line(loader: type[Any], text: str, line: int, fragment: str) -> None:
    with pytest.raises(FrontMatterError, match=fragment) as caught:
        load_mapping(text, loader)
    assert caught.value.line == line


def test_lines_are_found_as_deep_as_the_text_goes(loader: type[Any]) -> None:
    text = "a:\n  b:\n    - c: 1\n      d: 2\n"
    assert line_of(text, ["a", "b", 0, "d"], loader) == 4
    assert line_of(text, ["a", "b", 5], loader) == 2
    assert line_of(text, ["a", "x", "y"], loader) == 1
    assert line_of(text, ["x"], loader) == 0
