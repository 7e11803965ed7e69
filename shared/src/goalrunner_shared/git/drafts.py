"""What a draft becomes in git: where its files may lie, with which mode, and the text of its commit message."""

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePosixPath

from goalrunner_shared.git.errors import DraftRefused
from goalrunner_shared.git.port import CommitDraft

ModeAt = Callable[[str], str | None]
FOLDER, FILE, EXECUTABLE = "040000", "100644", "100755"

# What Windows and macOS take for ".git" as well: short name, trailing dots and blanks, characters that HFS+ ignores.
_GIT_FOLDER = re.compile(r"(\.git|git~\d+)[. ]*(:.*)?", re.IGNORECASE)
_IGNORED_BY_HFS = re.compile("[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]")
_TRAILER_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


def planned_modes(drafts: Sequence[CommitDraft], mode_at: ModeAt) -> dict[str, str]:
    """The mode of each path that the drafts write, given the modes at the tip; DraftRefused for an unsafe path.

    An existing file keeps its mode. No path may replace a folder or a link, or pass through a file or a link.
    """
    planned: dict[str, str] = {}
    for draft in drafts:
        for path in draft.files:
            _check_shape(path)
            for parent in _parents(path):
                if parent in planned or mode_at(parent) not in {None, FOLDER}:
                    raise DraftRefused(f"{path!r} passes through {parent!r}, which is not a folder")
            planned[path] = planned.get(path) or _mode_of_file(path, mode_at(path))
    _check_nesting(planned)
    return planned


def message_of(draft: CommitDraft) -> bytes:
    """The commit message: subject, body, trailers; nothing in subject or body can pass for a trailer of ours."""
    subject = _flat(draft.subject) or _flat(draft.key)
    # git stops looking for trailers at a line of dashes, so one in the body would hide ours.
    body = re.sub(r"(?m)^(?=---)", " ", draft.body.strip())
    trailers = "\n".join(f"{_trailer_key(key)}: {_flat(value)}" for key, value in draft.trailers)
    parts = [part for part in (subject, body, trailers) if part]
    return ("\n\n".join(parts) + "\n").replace("\0", "").encode("utf-8", "surrogateescape")


def _check_shape(path: str) -> None:
    parts = path.split("/")
    if any(part in {"", ".", ".."} for part in parts) or "\0" in path:
        raise DraftRefused(f"{path!r} is not a path inside the repository")
    if any(_GIT_FOLDER.fullmatch(_IGNORED_BY_HFS.sub("", part)) for part in parts):
        raise DraftRefused(f"{path!r} names a .git folder")


def _parents(path: str) -> Iterator[str]:
    return (str(parent) for parent in reversed(PurePosixPath(path).parents) if parent.parts)


def _mode_of_file(path: str, mode: str | None) -> str:
    if mode is not None and not mode.startswith("100"):
        what = "folder" if mode == FOLDER else "link"
        raise DraftRefused(f"{path!r} is a {what} and cannot be written as a file")
    return EXECUTABLE if mode == EXECUTABLE else FILE


def _check_nesting(planned: dict[str, str]) -> None:
    for path in planned:
        for parent in _parents(path):
            if parent in planned:
                raise DraftRefused(f"{path!r} passes through {parent!r}, which is not a folder")


def _trailer_key(key: str) -> str:
    if not _TRAILER_KEY.fullmatch(key):
        raise DraftRefused(f"{key!r} cannot be the name of a trailer")
    return key


def _flat(text: str) -> str:
    return " ".join(text.split())
