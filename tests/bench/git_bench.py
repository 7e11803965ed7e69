"""What the git adapter costs over bare git: CPU of this process and its children, as medians of interleaved rounds."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from statistics import median
from tempfile import TemporaryDirectory

from goalrunner_shared.git.mirror import GitRepository
from goalrunner_shared.git.port import CommitDraft

Work = Callable[[], object]

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_AUTHOR = "Bench <bench@example.org>"
_LIMIT = 256 * 1024
_GOAL = "---\nid: goal-{n:05d}\ntitle: Goal {n}\nstatus: active\nschedule: {{every: 2h}}\n---\n\n## Outcome\n{text}\n"


@dataclass(frozen=True)
class Ratio:
    """Two ways to do one thing: median CPU seconds of each, and the median of the rounds' ratios."""

    name: str
    ours: float
    bare: float
    ratio: float

    def __str__(self) -> str:
        ours, bare = f"{self.ours * 1000:.1f} ms", f"{self.bare * 1000:.1f} ms"
        return f"{self.name}: {ours} against {bare} = {self.ratio:.2f}x"


def measure(*, goals: int = 10_000, read_rounds: int = 9, push_rounds: int = 15) -> list[Ratio]:
    """Reading all goals, one commit + push, and a fetch that finds nothing new, each against bare git."""
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        remote = _remote(folder, goals)
        ours = GitRepository(remote=str(remote), branch="main", mirror=folder / "ours.git", author=_AUTHOR)
        ours.fetch()
        raw = folder / "raw.git"
        _git(folder, "clone", "-q", "--bare", str(remote), str(raw))
        return [
            _compare(
                "list and read against ls-tree + cat-file --batch",
                partial(_read_ours, ours, goals),
                partial(_read_raw, raw, goals),
                rounds=read_rounds,
            ),
            _pushes(folder, remote, push_rounds),
            _compare(
                "fetch without a change against git fetch",
                ours.fetch,
                partial(_git, raw, "fetch", "-q", str(remote), "main"),
                rounds=push_rounds,
                repeat=5,
            ),
        ]


def _compare(name: str, ours: Work, bare: Work, *, rounds: int, repeat: int = 1) -> Ratio:
    """The sides take turns at going first; round 0 warms up and is not counted."""
    pairs: list[tuple[float, float]] = []
    for _ in range(rounds + 1):
        first, second = (ours, bare) if len(pairs) % 2 else (bare, ours)
        times = {first: _cpu(first, repeat), second: _cpu(second, repeat)}
        pairs.append((times[ours], times[bare]))
    pairs = pairs[1:]
    return Ratio(name, median(o for o, _ in pairs), median(b for _, b in pairs), median(o / b for o, b in pairs))


def _cpu(work: Work, repeat: int) -> float:
    before = _spent()
    for _ in range(repeat):
        work()
    return (_spent() - before) / repeat


def _spent() -> float:
    usages = [getrusage(RUSAGE_SELF), getrusage(RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _pushes(folder: Path, remote: Path, rounds: int) -> Ratio:
    """Each side pushes to a remote of its own, so that neither makes the other fetch."""
    for side in ("ours-remote", "raw-remote"):
        _git(folder, "clone", "-q", "--bare", str(remote), f"{side}.git")
    _git(folder, "clone", "-q", "--bare", "raw-remote.git", "raw-mirror.git")
    ours = GitRepository(
        remote=str(folder / "ours-remote.git"), branch="main", mirror=folder / "push.git", author=_AUTHOR
    )
    ours.fetch()
    numbers = {"ours": count(), "raw": count()}
    return _compare(
        "commit and push against fast-import + push",
        lambda: _push_ours(ours, next(numbers["ours"])),
        lambda: _push_raw(folder / "raw-mirror.git", folder / "raw-remote.git", next(numbers["raw"])),
        rounds=rounds,
        repeat=5,
    )


def _read_ours(repository: GitRepository, goals: int) -> None:
    tip = repository.fetch()
    blobs = [entry.blob for entry in repository.entries(tip, "goals")]
    assert sum(content is not None for content in repository.read(blobs, limit=_LIMIT)) == goals


def _read_raw(mirror: Path, goals: int) -> None:
    tree = _git(mirror, "ls-tree", "-r", "-z", "HEAD", "goals/").stdout
    blobs = b"\n".join(entry[12:52] for entry in tree.split(b"\0")[:-1]) + b"\n"
    listing = subprocess.run(
        ["git", "cat-file", "--batch"], cwd=mirror, input=blobs, stdout=subprocess.PIPE, check=True
    ).stdout
    assert listing.count(b"## Outcome") == goals


def _push_ours(repository: GitRepository, number: int) -> None:
    path, content = _change(number)
    draft = CommitDraft(key="k", subject="Report", files={path: content}, at=_AT, trailers=[("Attempt-Id", "k")])
    assert repository.write(lambda tip: [draft])


def _push_raw(mirror: Path, remote: Path, number: int) -> None:
    path, content = _change(number)
    stream = b"commit refs/heads/main\ncommitter %s 1767225600 +0000\ndata 6\nReport\n" % _AUTHOR.encode()
    stream += b"from refs/heads/main^0\nM 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=mirror, input=stream, check=True)
    _git(mirror, "push", "-q", str(remote), "main")


def _change(number: int) -> tuple[str, bytes]:
    name = f"goal-{number % 1000:05d}"
    return f"attempts/{name}/{number + 1}.md", f"attempt {number}\n".encode() * 40


def _remote(folder: Path, goals: int) -> Path:
    """A packed bare repository with that many goals in a hundred folders."""
    remote = folder / "remote.git"
    _git(folder, "init", "-q", "--bare", "--initial-branch=main", str(remote))
    stream = [b"commit refs/heads/main\ncommitter %s 1767225600 +0000\ndata 5\nGoals\n" % _AUTHOR.encode()]
    for number in range(goals):
        text = " ".join(f"word{(number * 7919 + step * 104729) % 9973}" for step in range(150))
        content = _GOAL.format(n=number, text=text).encode()
        path = f"goals/area{number % 10:02d}/team{number // 10 % 10:02d}/goal-{number:05d}.md"
        stream.append(b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content))
    subprocess.run(["git", "fast-import", "--quiet"], cwd=remote, input=b"".join(stream), check=True)
    _git(remote, "repack", "-adq")
    return remote


def _git(folder: Path, *args: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True)


def main(arguments: Sequence[str]) -> None:
    """Print one line per comparison; the argument is the number of goals."""
    for ratio in measure(goals=int(arguments[0]) if arguments else 10_000):
        print(ratio)


if __name__ == "__main__":
    main(sys.argv[1:])
