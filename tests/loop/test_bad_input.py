"""Broken goal files on the whole system: each is rejected with its sentence, and nothing else is touched."""

import json
import os
import subprocess
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.loop.laptop import Laptop, attempt_commits

pytestmark = [pytest.mark.emulator, pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
CASES: list[dict[str, Any]] = json.loads((ROOT / "shared/tests/goals/broken_goals.json").read_text("utf-8"))["goals"]
GOAL = """---
id: {id}
title: A title
schedule: {{every: 24h}}
agent: {{engine: command, argv: [sh, -c, 'echo {id} > "$GOALRUNNER_OUT/name.txt"']}}
{more}---
## Outcome
The name is written down.
"""
GOOD = ("first-good", "second-good")


@dataclass(frozen=True)
class Bad:
    """A file that is refused: where it lies, what it holds (or leads to), and the start and a part of its sentence."""

    path: bytes
    holds: bytes | None
    line: int
    fragment: str
    leads_to: str = ""

    @property
    def place(self) -> str:
        """How the sentence about it begins: what is no text is written out."""
        return self.path.decode("utf-8", "backslashreplace").replace("\n", "\\n") + f":{self.line}: "


def content_of(case: dict[str, Any]) -> bytes:
    if "base64" in case:
        return b64decode(case["base64"])
    return "".join(text * times for text, times in case.get("parts", [[case.get("content"), 1]])).encode("utf-8")


def goal(name: str, more: str = "") -> bytes:
    return GOAL.format(id=name, more=more).encode()


BAD = [
    *(Bad(case["path"].encode(), content_of(case), case["line"], case["fragment"]) for case in CASES),
    Bad(b"goals/twin.md", goal("twin"), 2, 'the id "twin" is also used by goals/home/twin.md'),
    Bad(b"goals/home/twin.md", goal("twin"), 2, 'the id "twin" is also used by goals/twin.md'),
    # It is called like a goal that is good: that one runs, and this one is named.
    Bad(b"goals/home/first-good.md", b"words", 1, "the front matter is missing"),
    Bad(b"goals/lonely.md", goal("lonely", "depends_on: [nobody]\n"), 6, 'depends_on names "nobody", which does not'),
    Bad(b"goals/ring-a.md", goal("ring-a", "depends_on: [ring-b]\n"), 6, "depends_on goes round in a circle"),
    Bad(b"goals/ring-b.md", goal("ring-b", "depends_on: [ring-a]\n"), 6, "depends_on goes round in a circle"),
    Bad(b"goals/link.md", None, 1, "the file is a symbolic link", leads_to="first-good.md"),
    Bad(b"goals/outside.md", None, 1, "the file is a symbolic link", leads_to="../../../../../../../../etc/passwd"),
    Bad(b"goals/nowhere.md", None, 1, "the file is a symbolic link", leads_to="missing.md"),
    Bad(b"goals/caf\xe9.md", goal("cafe"), 1, "the file's path is not plain text in UTF-8"),
    Bad(b"goals/latin-\xe9/shelf.md", goal("shelf"), 1, "the file's path is not plain text in UTF-8"),
    Bad(b"goals/two\nlines.md", goal("lines"), 1, "the file's path is not plain text in UTF-8"),
]


def git(*words: str | Path) -> None:
    subprocess.run(["git", "-c", "user.name=You", "-c", "user.email=you@localhost", *words], check=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A checkout with every bad file and two good ones, of which the second waits for the first."""
    tree = tmp_path / "tree"
    files = {f"goals/{GOOD[0]}.md".encode(): goal(GOOD[0])}
    files[f"goals/{GOOD[1]}.md".encode()] = goal(GOOD[1], f"depends_on: [{GOOD[0]}]\n")
    for path, content in (files | {bad.path: bad.holds or b"" for bad in BAD}).items():
        file = Path(os.fsdecode(os.path.join(os.fsencode(tree), path)))  # noqa: PTH118
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    for bad in BAD:
        if bad.leads_to:
            file = tree / os.fsdecode(bad.path)
            file.unlink()
            file.symlink_to(bad.leads_to)
    git("init", "--quiet", "--initial-branch=main", tree)
    git("-C", tree, "add", "--all")
    git("-C", tree, "commit", "--quiet", "--message=Good and bad")
    return tree


@pytest.fixture
def laptop(tree: Path, tmp_path: Path) -> Laptop:
    """The same as a bare repository, and a fresh state folder."""
    git("clone", "--quiet", "--bare", tree, tmp_path / "goals.git")
    return Laptop(tmp_path / "goals.git", tmp_path / "state")


def sentences(printed: str) -> list[str]:
    """The reasons of the rejected goals in the `--json` object."""
    return sorted(each["reason"] for each in json.loads(printed)["goals"] if each["outcome"] == "rejected")


def test_every_broken_goal_is_rejected_with_its_sentence_and_the_good_ones_run(laptop: Laptop, tree: Path) -> None:
    assert len(CASES) >= 30
    assert max(len(bad.holds or b"") for bad in BAD) > 10_000_000
    before = laptop.git("rev-parse", "HEAD")

    done = laptop.call("up", "--once", "--slot", "2026-01-01T10:00Z", "--json")

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    goals = json.loads(done.stdout)["goals"]
    assert {each["id"]: each["outcome"] for each in goals if each["outcome"] != "rejected"} == dict.fromkeys(
        GOOD, "done"
    )
    said = sentences(done.stdout)
    assert len(said) == len(BAD)
    for bad in BAD:
        [sentence] = [each for each in said if each.startswith(bad.place)]
        assert bad.fragment in sentence
        assert "\n" not in sentence
    nothing_else_changed(laptop, before)

    linted = laptop.call("lint", str(tree))
    assert (linted.returncode, linted.stdout) == (2, "")
    assert sorted(linted.stderr.splitlines()) == said


def nothing_else_changed(laptop: Laptop, before: str) -> None:
    """The good goals have their state block, their attempt and their artefact; every other byte is what it was."""
    changed = laptop.git("diff", "--name-status", "-z", before, "HEAD").split("\0")[:-1]
    found = dict(zip(changed[1::2], changed[::2], strict=True))
    attempts = [f"attempts/{attempt.replace('.', '/', 1)}.md" for attempt in attempt_commits(laptop)]
    assert found == (
        {f"goals/{name}.md": "M" for name in GOOD}
        | {f"artifacts/{name}/name.txt": "A" for name in GOOD}
        | dict.fromkeys(attempts, "A")
    )
    assert [len(subjects) for subjects in attempt_commits(laptop).values()] == [2, 2]
    for name in GOOD:
        old, new = (laptop.git("show", f"{commit}:goals/{name}.md") for commit in (before, "HEAD"))
        assert new.split("<!-- goalrunner:state begin")[0].rstrip() == old.rstrip()
    laptop.git("fsck", "--strict")
