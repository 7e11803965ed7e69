"""Text that an agent or a command wrote, on its way into one of our files: it stays text there.

Every line of it begins with `>`, so that none can be front matter, a heading, a fence of ours or a state block.
"""

import re

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_TERMINAL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_BACKTICKS = re.compile(r"`{3,}")


def clean(text: str) -> str:
    """The text with plain line ends; terminal colours go, other control characters become U+FFFD."""
    plain = _TERMINAL.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("\ufffd", plain)


def quoted(text: str) -> str:
    """Each line behind `> `; `unquoted` takes it back."""
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n"))


def unquoted(section: str) -> str:
    """The text of the quoted lines of a section."""
    return "\n".join(line[2:] for line in section.split("\n") if line.startswith(">"))


def fenced(text: str) -> str:
    """The text in a code fence that is longer than any fence in it."""
    fence = "`" * max((len(run) + 1 for run in _BACKTICKS.findall(text)), default=3)
    return f"{fence}text\n{text}\n{fence}"


def unfenced(text: str) -> str:
    """What `fenced` was given."""
    return "\n".join(text.split("\n")[1:-1])
