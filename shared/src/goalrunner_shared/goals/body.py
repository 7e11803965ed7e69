"""The Markdown below a goal's front matter: sections, and the acceptance criteria as a list."""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_CRITERION = re.compile(r"[-*][ \t]+\[([ xX])\][ \t]+(?:#?([A-Za-z]{0,8}\d{1,4})[.:)]?[ \t]+)?(.*\S)[ \t]*")


class Criterion(NamedTuple):
    """One acceptance criterion: `- [ ] AC1 text`; without an id of its own it has the number of its place."""

    id: str
    text: str
    checked: bool


def sections_of(body: str) -> Mapping[str, str]:
    """Text by lower-case heading (level two), in order; what stands above the first is under the empty name."""
    found: dict[str, list[str]] = {"": []}
    name = ""
    for line, fenced in marked_lines(body):
        if fenced or not line.startswith(("## ", "##\t")):
            found[name].append(line)
            continue
        name = line[3:].rstrip().rstrip("#").strip().casefold()
        found.setdefault(name, [])
    return {name: text for name, lines in found.items() if (text := "\n".join(lines).strip("\n")) or name}


def criteria_of(section: str) -> tuple[Criterion, ...]:
    """The check boxes of a section, with the indented lines that go on below them."""
    items: list[Criterion] = []
    for line, fenced in marked_lines(section):
        match = None if fenced else _CRITERION.fullmatch(line)
        if match is not None:
            mark, name, text = match.groups()
            items.append(Criterion(name or f"AC{len(items) + 1}", text, mark != " "))
        elif items and line[:1] in (" ", "\t") and line.strip():
            last = items.pop()
            items.append(last._replace(text=f"{last.text} {line.strip()}"))
    return tuple(items)


def marked_lines(text: str) -> Iterator[tuple[str, bool]]:
    """Each line (without its end) and whether it belongs to a fenced code block, where headings are not headings."""
    fence = ""
    for line in text.replace("\r\n", "\n").split("\n"):
        match = _FENCE.fullmatch(line)
        closes = bool(fence and match and match[1].startswith(fence) and not match[2].strip())
        yield line, bool(fence or match)
        if closes:
            fence = ""
        elif not fence and match:
            fence = match[1]
