"""What every implementation of GoalsRepository must do. A test class inherits this and gives the fixture `rig`."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goalrunner_shared.git.errors import DraftRefused, ObjectMissing
from goalrunner_shared.git.port import CommitDraft, GoalsRepository, PushRefused

START: Mapping[str, bytes] = {
    "README.md": b"# Goals\n",
    "goals/a.md": b"a\n",
    "goals/deep/b.md": b"b\r\nno newline at the end",
    "goals-old/c.md": b"c\n",
    "scripts/run.sh": b"#!/bin/sh\n",
    "odd/with space.md": b"1",
    "odd/new\nline.md": b"2",
    "odd/überall-目標.md": b"3",
    "odd/latin-\udce9.md": b"4",
    'odd/quote"back\\slash.md': b"5",
}
LINKS: Mapping[str, bytes] = {"link": b"goals", "link.md": b"goals/a.md"}
MODES = {"scripts/run.sh": "100755", "link": "120000", "link.md": "120000"}
UNSAFE = [
    *("/etc/passwd", "../out", "a/../b", "a//b", "a/", "./a", "", ".", "nul\0", "goals", "README.md/x"),
    *(".git/config", "a/.GIT/hooks/x", "git~1/config", ".git./config", ".gi\u200ct/config"),
    *("link/x", "link", "link.md"),
]
NOWHERE = "1234567890" * 4
AT = datetime(2026, 1, 1, 10, 0, 7, tzinfo=UTC)


@dataclass(frozen=True)
class Rig:
    """A repository that holds START and LINKS, and a way for somebody else to push to its remote at once."""

    repository: GoalsRepository
    commit_elsewhere: Callable[[Mapping[str, bytes]], str]
    refuse_pushes: Callable[[], None]


def draft(files: Mapping[str, bytes], *, key: str = "a", **more: str) -> CommitDraft:
    """A small draft with a trailer."""
    subject = more.get("subject", "Write")
    return CommitDraft(key=key, subject=subject, files=files, at=AT, trailers=[("Attempt-Id", key)])


class RepositoryConformance:
    """The suite; each test has its own repository."""

    def test_the_files_below_a_folder_are_listed_in_path_order(self, rig: Rig) -> None:
        tip = rig.repository.fetch()
        assert [e.path for e in rig.repository.entries(tip, "goals")] == ["goals/a.md", "goals/deep/b.md"]
        assert list(rig.repository.entries(tip, "goals/")) == list(rig.repository.entries(tip, "goals"))
        assert list(rig.repository.entries(tip, "goals/a.md", "nothing")) == []

    def test_everything_is_listed_without_a_folder_odd_names_included(self, rig: Rig) -> None:
        listed = list(rig.repository.entries(rig.repository.fetch()))
        names = sorted([*START, *LINKS], key=lambda path: path.encode("utf-8", "surrogateescape"))
        assert [entry.path for entry in listed] == names
        assert {e.path: e.mode for e in listed if e.mode != "100644"} == MODES

    def test_several_folders_are_listed_once_and_in_order(self, rig: Rig) -> None:
        listed = rig.repository.entries(rig.repository.fetch(), "goals/deep", "goals-old", "goals")
        assert [e.path for e in listed] == ["goals-old/c.md", "goals/a.md", "goals/deep/b.md"]

    def test_blobs_are_read_in_the_order_asked_for(self, rig: Rig) -> None:
        listed = [e for e in rig.repository.entries(rig.repository.fetch()) if e.path in START]
        wanted = [*reversed(listed), listed[0]]
        contents = list(rig.repository.read((e.blob for e in wanted), limit=100))
        assert contents == [START[e.path] for e in wanted]

    def test_a_blob_over_the_limit_is_none_and_the_next_one_is_read(self, rig: Rig) -> None:
        rig.commit_elsewhere({"big": b"x" * 300_000, "fits": b"y" * 100})
        found = {e.path: e.blob for e in rig.repository.entries(rig.repository.fetch())}
        contents = rig.repository.read([found["big"], found["fits"], found["goals/a.md"]], limit=100)
        assert list(contents) == [None, b"y" * 100, b"a\n"]

    def test_reading_may_stop_half_way(self, rig: Rig) -> None:
        blobs = [e.blob for e in rig.repository.entries(rig.repository.fetch())]
        assert next(iter(rig.repository.read(blobs, limit=100))) is not None

    def test_blob_ids_are_those_of_git(self, rig: Rig) -> None:
        entry = next(iter(rig.repository.entries(rig.repository.fetch(), "goals")))
        assert entry.blob == hashlib.sha1(b"blob 2\0a\n").hexdigest()

    def test_one_file_is_read_by_path(self, rig: Rig) -> None:
        tip = rig.repository.fetch()
        for path, content in START.items():
            assert rig.repository.file(tip, path) == content
        assert rig.repository.file(tip, "link") == b"goals"

    @pytest.mark.parametrize(
        "path", ["goals", "goals/", "nothing", "goals/../README.md", "link/a.md", "/README.md", ""]
    )
    def test_where_there_is_no_file_there_is_none(self, rig: Rig, path: str) -> None:
        assert rig.repository.file(rig.repository.fetch(), path) is None

    @pytest.mark.parametrize("name", [NOWHERE, "main", "--help", "HEAD"])
    def test_an_unknown_commit_is_named_in_the_error(self, rig: Rig, name: str, tmp_path: Path) -> None:
        rig.repository.fetch()
        with pytest.raises(ObjectMissing, match=name):
            list(rig.repository.entries(name))
        with pytest.raises(ObjectMissing, match=name):
            rig.repository.file(name, "README.md")
        with pytest.raises(ObjectMissing, match=name):
            rig.repository.last_commit(name, "README.md")
        with pytest.raises(ObjectMissing, match=name):
            rig.repository.checkout(name, tmp_path / "checkout")

    @pytest.mark.parametrize("name", [NOWHERE, "two\nlines", ""])
    def test_an_unknown_blob_is_an_error(self, rig: Rig, name: str) -> None:
        known = [e.blob for e in rig.repository.entries(rig.repository.fetch(), "goals")]
        with pytest.raises(ObjectMissing):
            list(rig.repository.read([*known, name], limit=100))

    def test_the_newest_commit_that_changed_a_path_is_found(self, rig: Rig) -> None:
        first = rig.repository.fetch()
        second = rig.commit_elsewhere({"goals/a.md": b"changed"})
        third = rig.commit_elsewhere({"README.md": b"changed"})
        assert rig.repository.fetch() == third
        assert rig.repository.last_commit(third, "goals/a.md") == second
        assert rig.repository.last_commit(third, "goals") == second
        assert rig.repository.last_commit(third, "goals/deep/b.md") == first
        assert rig.repository.last_commit(third, "nothing") is rig.repository.last_commit(third, "goals/*") is None

    def test_a_commit_changes_its_files_and_nothing_else(self, rig: Rig) -> None:
        before = {e.path: e for e in rig.repository.entries(rig.repository.fetch())}
        done = rig.repository.write(lambda tip: [draft({"goals/a.md": b"new", "attempts/a/1.md": b"\0\xff"})])
        tip = rig.repository.fetch()
        assert done == {"a": tip}
        after = {e.path: e for e in rig.repository.entries(tip)}
        assert rig.repository.file(tip, "attempts/a/1.md") == b"\0\xff"
        assert rig.repository.file(tip, "goals/a.md") == b"new"
        for changed in ("goals/a.md", "attempts/a/1.md"):
            before.pop(changed, None)
            after.pop(changed)
        assert after == before

    def test_several_drafts_are_several_commits_in_order(self, rig: Rig) -> None:
        drafts = [draft({"x": b"%d" % n, f"y{n}": b""}, key=f"k{n}") for n in range(3)]
        done = rig.repository.write(lambda tip: drafts)
        assert [rig.repository.file(done[f"k{n}"], "x") for n in range(3)] == [b"0", b"1", b"2"]
        assert rig.repository.file(done["k0"], "y1") is None
        assert rig.repository.last_commit(rig.repository.fetch(), "y1") == done["k1"]

    def test_an_executable_file_stays_executable(self, rig: Rig) -> None:
        rig.repository.write(lambda tip: [draft({"scripts/run.sh": b"new", "scripts/other.sh": b""})])
        listed = rig.repository.entries(rig.repository.fetch(), "scripts")
        assert {e.path: e.mode for e in listed} == {"scripts/run.sh": "100755", "scripts/other.sh": "100644"}

    def test_odd_names_are_written_as_they_are(self, rig: Rig) -> None:
        files = {path: b"again" for path in START if path.startswith("odd/")}
        rig.repository.write(lambda tip: [draft({**files, "odd/tab\tand\udcff": b"again"})])
        tip = rig.repository.fetch()
        assert {e.path for e in rig.repository.entries(tip, "odd")} == {*files, "odd/tab\tand\udcff"}
        assert {rig.repository.file(tip, path) for path in files} == {b"again"}

    def test_no_drafts_push_nothing(self, rig: Rig) -> None:
        tip = rig.repository.fetch()
        assert rig.repository.write(lambda tip: []) == {}
        assert rig.repository.fetch() == tip

    def test_a_remote_that_moved_is_built_upon_again_and_seen(self, rig: Rig) -> None:
        rig.repository.fetch()
        seen: list[bytes | None] = []

        def build(tip: str) -> Sequence[CommitDraft]:
            seen.append(rig.repository.file(tip, "goals/a.md"))
            if len(seen) == 1:
                rig.commit_elsewhere({"goals/a.md": b"theirs", "theirs": b""})
            return [draft({"goals/a.md": (seen[-1] or b"") + b"+ours"})]

        done = rig.repository.write(build)
        assert seen == [b"a\n", b"theirs"]
        tip = rig.repository.fetch()
        assert done == {"a": tip}
        assert rig.repository.file(tip, "goals/a.md") == b"theirs+ours"
        assert rig.repository.file(tip, "theirs") == b""

    def test_what_was_written_meanwhile_by_another_need_not_be_written_again(self, rig: Rig) -> None:
        rig.repository.fetch()

        def build(tip: str) -> Sequence[CommitDraft]:
            if rig.repository.file(tip, "attempt") is not None:
                return []
            rig.commit_elsewhere({"attempt": b"theirs"})
            return [draft({"attempt": b"ours"})]

        assert rig.repository.write(build) == {}
        assert rig.repository.file(rig.repository.fetch(), "attempt") == b"theirs"

    def test_a_remote_that_always_moves_is_given_up(self, rig: Rig) -> None:
        tips: list[str] = []

        def build(tip: str) -> Sequence[CommitDraft]:
            tips.append(tip)
            rig.commit_elsewhere({"theirs": b"%d" % len(tips)})
            return [draft({"ours": b""})]

        with pytest.raises(PushRefused, match="moved during each of 8 tries"):
            rig.repository.write(build)
        assert len(set(tips)) == 8
        assert rig.repository.file(rig.repository.fetch(), "ours") is None

    def test_a_refused_push_leaves_the_tip_and_tells_the_words(self, rig: Rig) -> None:
        tip = rig.repository.fetch()
        rig.refuse_pushes()
        with pytest.raises(PushRefused, match="no pushes on Friday") as caught:
            rig.repository.write(lambda tip: [draft({"x": b""})])
        assert "\n" not in str(caught.value)
        assert rig.repository.fetch() == tip
        seen: list[str] = []
        rig.repository.write(lambda tip: seen.append(tip) or [])  # type: ignore[func-returns-value]
        assert seen == [tip]

    @pytest.mark.parametrize("path", UNSAFE)
    def test_an_unsafe_path_is_refused_and_nothing_is_written(self, rig: Rig, path: str) -> None:
        tip = rig.repository.fetch()
        with pytest.raises(DraftRefused):
            rig.repository.write(lambda tip: [draft({"fine": b""}), draft({path: b""}, key="b")])
        assert rig.repository.fetch() == tip

    def test_drafts_that_contradict_each_other_are_refused(self, rig: Rig) -> None:
        with pytest.raises(DraftRefused, match="passes through"):
            rig.repository.write(lambda tip: [draft({"n/x": b""}), draft({"n": b""}, key="b")])
        with pytest.raises(DraftRefused, match="passes through"):
            rig.repository.write(lambda tip: [draft({"n": b""}), draft({"n/x": b""}, key="b")])

    def test_a_path_that_only_looks_like_a_git_folder_is_fine(self, rig: Rig) -> None:
        rig.repository.write(lambda tip: [draft({".gitignore": b"", ".github/x": b"", "a..b/...": b""})])
        assert rig.repository.file(rig.repository.fetch(), "a..b/...") == b""

    def test_a_checkout_holds_the_files_of_its_commit(self, rig: Rig, tmp_path: Path) -> None:
        first = rig.repository.fetch()
        rig.commit_elsewhere({"goals/a.md": b"later"})
        rig.repository.fetch()
        target = tmp_path / "deep" / "checkout"
        rig.repository.checkout(first, target)
        for path in ("README.md", "goals/a.md", "goals/deep/b.md", "odd/new\nline.md", "odd/überall-目標.md"):
            assert (target / path).read_bytes() == START[path]
        assert (target / "scripts/run.sh").stat().st_mode & 0o111
        assert (target / "link").readlink() == Path("goals")
        with pytest.raises(FileExistsError):
            rig.repository.checkout(first, target)
