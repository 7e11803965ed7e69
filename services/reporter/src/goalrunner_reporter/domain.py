"""Which of an agent's files may be committed: it proposed them, and nothing about them is taken on trust."""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from goalrunner_events import Artifact
from goalrunner_reporter.secrets import secret_in

MAX_NAME_BYTES = 200
MAX_FILE_BYTES = 10_000_000
MAX_ALL_BYTES = 50_000_000
MAX_FILES = 200

# What Windows and macOS take for ".git" as well.
_GIT_FOLDER = re.compile(r"(\.git|git~\d+)[. ]*(:.*)?", re.IGNORECASE)
# Control and format characters, surrogates, unassigned, line and paragraph separators.
_UNSEEN = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


@dataclass(frozen=True)
class Accepted:
    """A file to be committed below the goal's folder of artefacts."""

    path: str
    content: bytes


@dataclass(frozen=True)
class Refused:
    """A file that is not committed, and why."""

    path: str
    reason: str


Verdict = Accepted | Refused


def judge(artifacts: Sequence[Artifact], *, attempt: str, get: Callable[[str], bytes | None]) -> Sequence[Verdict]:
    """A verdict on each artefact in order; `get` reads an object by key, and only one whose promises are in order.

    Of a path that is named twice, the last file counts.
    """
    accepted: dict[str, Accepted] = {}
    verdicts: list[Verdict] = []
    for artifact in {each.path: each for each in artifacts}.values():
        problem = name_problem(artifact.path) or _promise_problem(artifact, attempt) or _set_problem(artifact, accepted)
        content = None if problem else get(artifact.blob.key)
        verdict = _verdict(artifact, content, problem)
        if isinstance(verdict, Accepted):
            accepted[artifact.path] = verdict
        verdicts.append(verdict)
    return verdicts


def _verdict(artifact: Artifact, content: bytes | None, problem: str | None) -> Verdict:
    if problem is not None:
        return Refused(artifact.path, problem)
    if content is None:
        return Refused(artifact.path, "its bytes are gone")
    if (problem := _content_problem(artifact, content)) is not None:
        return Refused(artifact.path, problem)
    return Accepted(artifact.path, content)


def name_problem(path: str) -> str | None:
    """Why no file of this relative path may be written; None where it may."""
    try:
        length = len(path.encode("utf-8"))
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    if not path or length > MAX_NAME_BYTES:
        return f"its name is empty or longer than {MAX_NAME_BYTES} bytes"
    if any(unicodedata.category(letter) in _UNSEEN for letter in path):
        return "its name holds a control character"
    if path.startswith(("/", "~")) or "\\" in path or re.match("[A-Za-z]:", path):
        return "its path is not relative"
    parts = path.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        return "its path has an empty part, `.` or `..`"
    if any(_GIT_FOLDER.fullmatch(part) for part in parts):
        return "its path has a part that git takes for its own"
    return None


def _promise_problem(artifact: Artifact, attempt: str) -> str | None:
    if not artifact.blob.key.startswith(f"jobs/{attempt}/"):
        return "it is no file of this attempt"
    if artifact.blob.bytes > MAX_FILE_BYTES:
        return f"larger than {MAX_FILE_BYTES // 1_000_000} MB"
    return None


def _set_problem(artifact: Artifact, accepted: Mapping[str, Accepted]) -> str | None:
    if len(accepted) == MAX_FILES:
        return f"more than {MAX_FILES} files"
    if sum(len(each.content) for each in accepted.values()) + artifact.blob.bytes > MAX_ALL_BYTES:
        return f"more than {MAX_ALL_BYTES // 1_000_000} MB in all"
    folders = {str(parent) for parent in PurePosixPath(artifact.path).parents}
    for path in accepted:
        if path in folders or path.startswith(f"{artifact.path}/"):
            return f"{path} is there already, and a name cannot be a file and a folder at once"
    return None


def _content_problem(artifact: Artifact, content: bytes) -> str | None:
    if len(content) != artifact.blob.bytes or hashlib.sha256(content).hexdigest() != artifact.blob.sha256:
        return "its bytes are not those that the agent left"
    secret = secret_in(content)
    return f"it seems to hold {secret}" if secret else None
