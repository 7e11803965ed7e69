"""A process of its own that writes: `python writer.py REMOTE MIRROR NAME COUNT`; prints a line per commit."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from goalrunner_shared.git.mirror import GitRepository
from goalrunner_shared.git.port import CommitDraft

remote, mirror, name, count = sys.argv[1:]
repository = GitRepository(remote=remote, branch=None, mirror=Path(mirror), author="A <a@b>", tries=30)
for number in range(int(count)):
    attempt = f"attempts/{name}/{number}.md"

    def build(tip: str, attempt: str = attempt) -> Sequence[CommitDraft]:
        if repository.file(tip, attempt) is not None:
            return []
        tally = int(repository.file(tip, "tally") or b"0") + 1
        files = {attempt: b"x" * 2000, "tally": b"%d" % tally}
        return [CommitDraft(key=attempt, subject=attempt, files=files, at=datetime.now(UTC))]

    print(repository.write(build).get(attempt, "was there"), flush=True)
