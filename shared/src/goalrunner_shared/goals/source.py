"""The bytes of a goal file as text, or why they are none."""

from goalrunner_shared.goals.problems import InvalidGoal

LARGEST = 256 * 1024

# What git can hold and a goal cannot be: problem and hint, the same wherever it is found.
LINK = ("the file is a symbolic link", "put the goal file itself in its place")
UNREADABLE_PATH = ("the file's path is not plain text in UTF-8", "rename the file or its folder")


def readable(text: str) -> str:
    """A path, or a sentence with one, on one line of UTF-8: what is not to be printed is written out."""
    decoded = text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in decoded)


def decode(path: str, content: bytes | None) -> str:
    """UTF-8 text without NUL bytes and without a byte-order mark; None stands for a file too large to read."""
    if content is None or len(content) > LARGEST:
        raise InvalidGoal(path, 1, "the file is larger than 256 KB", "keep the goal short and move the rest elsewhere")
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise InvalidGoal(path, line, "a NUL byte stands here, so this is not a text file", "write it again as text")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        problem = f"byte 0x{content[error.start]:02x} is not UTF-8"
        raise InvalidGoal(path, line, problem, "save the file again with the encoding UTF-8") from None
