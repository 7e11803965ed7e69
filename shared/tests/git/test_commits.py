import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from pathlib import Path

import pytest

from goalrunner_shared.errors import InputError
from goalrunner_shared.git.drafts import message_of
from goalrunner_shared.git.errors import DraftRefused
from goalrunner_shared.git.mirror import GitRepository
from goalrunner_shared.git.port import CommitDraft, PushRefused, RepositoryUnreachable

GitAt = Callable[..., str]
RepositoryAt = Callable[..., GitRepository]
CommitTo = Callable[[Path, Mapping[str, bytes]], str]
AT = datetime(2026, 1, 1, 12, 0, tzinfo=timezone(timedelta(hours=2)))
TRAILERS = [("Goal-Id", "a"), ("Attempt-Id", "a.2026-01-01T1000Z.0a1b2c"), ("Event-Id", "1")]


def draft(**changed: object) -> CommitDraft:
    given: dict[str, object] = {"key": "k", "subject": "Report a", "files": {"x": b"1"}, "at": AT}
    return CommitDraft(**{**given, "trailers": TRAILERS, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "Two lines\nof text.",
        "above\n---\nbelow",
        "--- a/x\n+++ b/x",
        "Attempt-Id: forged",
        "text\n\nAttempt-Id: forged\nGoal-Id: forged\n\n",
        "# a comment\n\0",
        "odd \udcff byte",
    ],
)
def test_git_reads_back_exactly_our_trailers(git: GitAt, tmp_path: Path, body: str) -> None:
    message = message_of(draft(body=body))
    parsed = git(tmp_path, "interpret-trailers", "--parse", data=message)
    assert parsed.splitlines() == [f"{key}: {value}" for key, value in TRAILERS]


def test_no_text_of_an_agent_makes_a_second_subject_or_trailer(git: GitAt, tmp_path: Path) -> None:
    message = message_of(draft(subject="One\n\nAttempt-Id: x", trailers=[("Goal-Id", "a\nAttempt-Id: forged")]))
    assert message.startswith(b"One Attempt-Id: x\n\n")
    assert git(tmp_path, "interpret-trailers", "--parse", data=message) == "Goal-Id: a Attempt-Id: forged"


def test_a_trailer_needs_a_name_that_git_takes() -> None:
    with pytest.raises(DraftRefused, match="name of a trailer"):
        message_of(draft(trailers=[("Not a: name", "x")]))


def test_a_commit_has_our_author_its_date_and_the_tip_as_its_parent(
    bare: Path, git: GitAt, repository_at: RepositoryAt
) -> None:
    tip = git(bare, "rev-parse", "main")
    done = repository_at(bare).write(lambda tip: [draft(), draft(key="l", subject="")])
    shown = git(bare, "log", "-2", "--format=%H|%an <%ae>|%cn|%aI|%cI|%s").splitlines()
    when = "2026-01-01T10:00:00+00:00"
    person = "Goalrunner <goalrunner@example.org>|Goalrunner"
    assert shown == [
        f"{done['l']}|{person}|{when}|{when}|l",
        f"{done['k']}|{person}|{when}|{when}|Report a",
    ]
    assert git(bare, "rev-parse", "main~2") == tip
    assert git(bare, "log", "-1", "--format=%(trailers:key=Attempt-Id,valueonly)").strip() == TRAILERS[1][1]
    assert git(bare, "fsck", "--strict") == ""


@pytest.mark.parametrize("author", ["Nobody", "A <b> <c>", "A\nB <c@d>", "<c@d>", "A <c d>"])
def test_an_author_that_git_would_not_take_is_refused_at_once(author: str, repository_at: RepositoryAt) -> None:
    with pytest.raises(ValueError, match="Name <mail>"):
        repository_at("nowhere", author=author)


@pytest.mark.parametrize("branch", ["", "--all", "a:refs/heads/b", "*", "a b", "a\nb", "/a"])
def test_a_branch_that_is_no_branch_is_refused_at_once(branch: str, repository_at: RepositoryAt) -> None:
    with pytest.raises(InputError, match="cannot be the name of a branch"):
        repository_at("nowhere", branch=branch)


def test_waits_grow_with_chance_in_them(bare: Path, commit_to: CommitTo, repository_at: RepositoryAt) -> None:
    waits: list[float] = []
    repository = repository_at(bare, sleep=waits.append, chance=lambda: 0.5, tries=4)

    def build(tip: str) -> Sequence[CommitDraft]:
        commit_to(bare, {"theirs": tip.encode()})
        return [draft()]

    with pytest.raises(PushRefused, match="each of 4 tries"):
        repository.write(build)
    assert waits == [0.1, 0.2, 0.4]


def test_a_write_needs_no_fetch_when_the_tip_is_known(bare: Path, git: GitAt, repository_at: RepositoryAt) -> None:
    first = repository_at(bare, branch="main")
    tip = first.fetch()
    seen: list[str] = []
    second = repository_at(bare, branch="main")
    done = second.write(lambda tip: seen.append(tip) or [draft()])  # type: ignore[func-returns-value]
    assert seen == [tip]
    third = first.write(lambda tip: seen.append(tip) or [draft(files={"y": b""})])  # type: ignore[func-returns-value]
    assert seen == [tip, done["k"]]
    assert git(bare, "rev-list", "--count", "main") == "3"
    assert git(bare, "rev-parse", "main") == third["k"]


def test_commits_that_were_taken_off_the_remote_are_not_brought_back(
    bare: Path, git: GitAt, commit_to: CommitTo, repository_at: RepositoryAt
) -> None:
    repository = repository_at(bare)
    first = repository.fetch()
    commit_to(bare, {"mistake": b"a secret"})
    repository.fetch()
    git(bare, "update-ref", "refs/heads/main", first)
    repository.write(lambda tip: [draft()])
    assert "mistake" not in git(bare, "ls-tree", "--name-only", "main")
    assert git(bare, "rev-parse", "main~1") == first


def test_a_push_that_landed_without_an_answer_is_not_made_twice(
    bare: Path, git: GitAt, tmp_path: Path, repository_at: RepositoryAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that breaks after the remote has done its work, once."""
    ssh = tmp_path / "ssh"
    ssh.write_text(
        "#!/bin/sh\nshift\n"
        f'case "$1" in *receive-pack*) if [ ! -e {tmp_path}/broken ]; then touch {tmp_path}/broken\n'
        # The advertisement (a few hundred bytes) gets through, the report after the update does not.
        f'sh -c "$1" | dd bs=1 count=$(cat {tmp_path}/size) 2>/dev/null; sleep 0.2; exit 1; fi;; esac\n'
        'exec sh -c "$1"\n'
    )
    ssh.chmod(0o755)
    advertised = git(bare, "receive-pack", "--http-backend-info-refs", ".")
    (tmp_path / "size").write_text(str(len(advertised) + 1))
    monkeypatch.setenv("GIT_SSH", str(ssh))
    monkeypatch.setenv("GIT_SSH_VARIANT", "simple")
    repository = repository_at(f"ssh://host{bare}")
    done = repository.write(lambda tip: [draft()])
    assert (tmp_path / "broken").exists()
    assert git(bare, "rev-parse", "main") == done["k"]
    assert git(bare, "rev-list", "--count", "main") == "2"


def test_an_empty_repository_has_nothing_to_fetch(git: GitAt, tmp_path: Path, repository_at: RepositoryAt) -> None:
    git(tmp_path, "init", "-q", "--bare", "empty.git")
    for branch in (None, "main"):
        with pytest.raises(RepositoryUnreachable, match="yet: commit the goals there first"):
            repository_at(tmp_path / "empty.git", branch=branch).fetch()


def test_a_branch_that_is_not_there_is_named(bare: Path, repository_at: RepositoryAt) -> None:
    with pytest.raises(RepositoryUnreachable, match="has no branch nowhere"):
        repository_at(bare, branch="nowhere").fetch()


def test_a_detached_head_wants_a_branch(worktree: Path, git: GitAt, repository_at: RepositoryAt) -> None:
    git(worktree, "checkout", "-q", "--detach")
    with pytest.raises(RepositoryUnreachable, match="name the branch"):
        repository_at(worktree).fetch()
    assert repository_at(worktree, branch="main").fetch() == git(worktree, "rev-parse", "main")


def test_branches_of_one_mirror_do_not_disturb_each_other(bare: Path, git: GitAt, repository_at: RepositoryAt) -> None:
    main = repository_at(bare)
    main.fetch()
    git(bare, "branch", "-m", "main", "other")
    git(bare, "update-ref", "refs/heads/o/d@1", "other")
    side = repository_at(bare, branch="o/d@1")
    done = side.write(lambda tip: [draft()])
    assert git(bare, "rev-parse", "o/d@1") == done["k"]
    assert git(bare, "rev-parse", "other") == repository_at(bare, branch="other").fetch() != done["k"]


def test_a_work_tree_that_was_cloned_shallow_serves_as_remote(
    bare: Path, git: GitAt, tmp_path: Path, commit_to: CommitTo, repository_at: RepositoryAt
) -> None:
    commit_to(bare, {"more": b""})
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{bare}", "shallow")
    repository = repository_at(tmp_path / "shallow")
    done = repository.write(lambda tip: [draft()])
    assert git(tmp_path / "shallow", "rev-parse", "HEAD") == done["k"]
    repository.checkout(done["k"], tmp_path / "checkout")
    assert len(git(tmp_path / "checkout", "log", "--format=%H").splitlines()) == 2


def test_a_big_tree_is_listed_and_read_whole(bare: Path, git: GitAt, repository_at: RepositoryAt) -> None:
    stream = b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata 3\nbig\nfrom refs/heads/main^0\n"
    files = (b"M 100644 inline goals/%02d/g-%05d.md\ndata 6\n%06d\n" % (n % 50, n, n) for n in range(5000))
    git(bare, "fast-import", "--quiet", data=stream % datetime.now(UTC).timestamp() + b"".join(files))
    repository = repository_at(bare)
    listed = list(repository.entries(repository.fetch(), "goals"))
    assert len(listed) == 5002
    big = [entry for entry in listed if "/g-" in entry.path]
    contents = repository.read([entry.blob for entry in big], limit=6)
    assert all(content == entry.path[-8:-3].zfill(6).encode() for content, entry in zip(contents, big, strict=True))


def test_many_drafts_go_in_one_push(bare: Path, git: GitAt, repository_at: RepositoryAt) -> None:
    drafts = [draft(key=str(n), files={f"attempts/{n}": b"x" * 3000, "log": b"%d" % n}) for n in range(300)]
    done = repository_at(bare).write(lambda tip: drafts)
    assert git(bare, "rev-list", "--reverse", "main").splitlines()[1:] == list(done.values())


def test_the_loose_objects_of_many_writes_are_packed(
    bare: Path, git: GitAt, tmp_path: Path, repository_at: RepositoryAt
) -> None:
    """git estimates the number of loose objects from one folder of them: so many in it look like 7,000."""
    repository = repository_at(bare)
    repository.fetch()
    mirror = tmp_path / "state" / "mirror.git"
    numbers = (b"%d" % number for number in range(100_000))
    sample = (text for text in numbers if hashlib.sha1(b"blob %d\0%s" % (len(text), text)).digest()[0] == 0x17)
    for text in islice(sample, 28):
        git(mirror, "hash-object", "-w", "--stdin", data=text)
    repository.write(lambda tip: [draft()])
    assert list(mirror.glob("objects/pack/*.pack"))
    assert repository.file(repository.fetch(), "x") == b"1"
