"""Making commits without an index or a work tree: one stream into `git fast-import`."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import IO

from goalrunner_shared.git.command import GitCommand
from goalrunner_shared.git.drafts import message_of, planned_modes
from goalrunner_shared.git.objects import object_id
from goalrunner_shared.git.port import CommitDraft

# Nobody reads this ref: fast-import must have one, and it is not the tip before the remote has taken it.
_SCRATCH = "refs/drafts/last"


def import_drafts(git: GitCommand, *, tip: str, drafts: Sequence[CommitDraft], author: str) -> dict[str, str]:
    """Make one commit per draft, in order, on top of `tip`: draft key → commit id; DraftRefused, GitFailed."""
    with git.started("fast-import", "--quiet", "--force", "--date-format=raw") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        talk = _Conversation(process.stdin, process.stdout, object_id(tip))
        modes = planned_modes(drafts, cache(talk.mode_at))
        return {draft.key: talk.commit(draft, modes, author) for draft in drafts}


class _Conversation:
    """fast-import answers while it reads: modes at the tip, and each commit's id."""

    def __init__(self, stdin: IO[bytes], stdout: IO[bytes], tip: str) -> None:
        self._stdin, self._stdout, self._tip = stdin, stdout, tip
        self._parent, self._made = tip, 0

    def mode_at(self, path: str) -> str | None:
        answer = self._asked(b"ls %s %s\n" % (self._tip.encode(), _quoted(path)))
        mode = answer.split(b" ", 1)[0].decode()
        return None if mode == "missing" else mode

    def commit(self, draft: CommitDraft, modes: dict[str, str], author: str) -> str:
        self._made += 1
        mark = f":{self._made}"
        self._stdin.writelines(_commit_lines(draft, mark, self._parent, modes, author))
        self._parent = mark
        return self._asked(b"get-mark %s\n" % mark.encode()).decode().strip()

    def _asked(self, question: bytes) -> bytes:
        self._stdin.write(question)
        self._stdin.flush()
        answer = self._stdout.readline()
        if not answer:
            raise BrokenPipeError
        return answer


def _commit_lines(draft: CommitDraft, mark: str, parent: str, modes: dict[str, str], author: str) -> Iterator[bytes]:
    person = f"{author} {int(draft.at.timestamp())} +0000\n".encode()
    yield b"commit %s\nmark %s\n" % (_SCRATCH.encode(), mark.encode())
    yield b"author " + person + b"committer " + person
    yield _data(message_of(draft))
    yield b"from %s\n" % parent.encode()
    for path, content in draft.files.items():
        yield b"M %s inline %s\n" % (modes[path].encode(), _quoted(path))
        yield _data(content)


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    raw = path.encode("utf-8", "surrogateescape")
    return b'"%s"' % raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
