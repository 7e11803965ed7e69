import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goalrunner_shared.errors import TransientError
from goalrunner_shared.git.errors import ObjectMissing
from goalrunner_shared.git.mirror import GitRepository
from goalrunner_shared.git.port import CommitDraft, RepositoryUnreachable

GitAt = Callable[..., str]
RepositoryAt = Callable[..., GitRepository]
CommitTo = Callable[[Path, Mapping[str, bytes]], str]


def overwrite_packs(mirror: Path) -> None:
    for file in (*mirror.glob("objects/pack/*.pack"), *mirror.glob("objects/??/*")):
        file.chmod(0o644)
        file.write_bytes(b"garbage" * 10)


def empty_objects(mirror: Path) -> None:
    for file in mirror.glob("objects/??/*"):
        file.chmod(0o644)
        file.write_bytes(b"")


def overwrite_after_repacking(mirror: Path) -> None:
    subprocess.run(["git", "repack", "-adq"], cwd=mirror, check=True)
    overwrite_packs(mirror)


def remove_some_objects(mirror: Path) -> None:
    for folder in mirror.glob("objects/[0-7]?"):
        shutil.rmtree(folder)


def leave_an_empty_folder(mirror: Path) -> None:
    shutil.rmtree(mirror)
    mirror.mkdir()


DAMAGES: dict[str, Callable[[Path], object]] = {
    "objects gone": lambda mirror: shutil.rmtree(mirror / "objects"),
    "objects overwritten": overwrite_packs,
    "packs overwritten": overwrite_after_repacking,
    "objects empty": empty_objects,
    "one folder of objects gone": remove_some_objects,
    "HEAD gone": lambda mirror: (mirror / "HEAD").unlink(),
    "HEAD garbage": lambda mirror: (mirror / "HEAD").write_bytes(b"\0\1\2"),
    "configuration garbage": lambda mirror: (mirror / "config").write_bytes(b"[[["),
    "refs gone": lambda mirror: shutil.rmtree(mirror / "refs"),
    "tip garbage": lambda mirror: (mirror / "refs/goals/main").write_bytes(b"\0garbage\xff"),
    "tip empty": lambda mirror: (mirror / "refs/goals/main").write_bytes(b""),
    "all gone": shutil.rmtree,
    "an empty folder": leave_an_empty_folder,
}


@pytest.mark.parametrize("moved", [False, True], ids=["same tip", "new tip"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_mirror_is_made_again(
    bare: Path, tmp_path: Path, commit_to: CommitTo, repository_at: RepositoryAt, damage: str, moved: bool
) -> None:
    """At the latest the second fetch has a whole mirror: where reading finds the damage, it fails for this once."""
    repository_at(bare).fetch()
    DAMAGES[damage](tmp_path / "state" / "mirror.git")
    if moved:
        commit_to(bare, {"more": b""})
    repository = repository_at(bare)

    def all_contents() -> list[bytes | None]:
        tip = repository.fetch()
        return list(repository.read([e.blob for e in repository.entries(tip)], limit=100))

    try:
        contents = all_contents()
    except TransientError:
        contents = all_contents()
    assert len(contents) == 12 + moved
    files = {"x": b"1"}
    assert repository.write(lambda tip: [CommitDraft(key="k", subject="s", files=files, at=datetime.now(UTC))])
    assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["mirror.git", "mirror.git.lock"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_write_to_a_damaged_mirror_succeeds_at_the_second_try_at_the_latest(
    bare: Path, tmp_path: Path, git: GitAt, repository_at: RepositoryAt, damage: str
) -> None:
    repository_at(bare).fetch()
    DAMAGES[damage](tmp_path / "state" / "mirror.git")
    repository = repository_at(bare, branch="main")

    def build(tip: str) -> Sequence[CommitDraft]:
        files = {"goals/a.md": b"1"}
        return [CommitDraft(key="k", subject="s", files=files, at=datetime.now(UTC))]

    try:
        done = repository.write(build)
    except TransientError:
        done = repository.write(build)
    assert git(bare, "rev-parse", "main") == done["k"]
    assert git(bare, "fsck", "--strict", "--no-dangling") == ""
    assert len(git(bare, "ls-tree", "-r", "--name-only", "-z", "main").split("\0")) == 13


def test_an_unknown_commit_costs_nobody_the_mirror(bare: Path, tmp_path: Path, repository_at: RepositoryAt) -> None:
    repository = repository_at(bare)
    tip = repository.fetch()
    inode = (tmp_path / "state" / "mirror.git").stat().st_ino
    with pytest.raises(ObjectMissing, match="fetch first"):
        repository.file("1" * 40, "README.md")
    assert repository.fetch() == tip
    assert (tmp_path / "state" / "mirror.git").stat().st_ino == inode


def test_a_remote_that_is_away_costs_nobody_the_mirror(bare: Path, tmp_path: Path, repository_at: RepositoryAt) -> None:
    repository = repository_at(bare)
    tip = repository.fetch()
    bare.rename(tmp_path / "away")
    with pytest.raises(RepositoryUnreachable, match="cannot be read"):
        repository.fetch()
    assert repository.file(tip, "goals/a.md") == b"a\n"
    (tmp_path / "away").rename(bare)
    assert repository.fetch() == tip


def test_reading_before_the_first_fetch_says_what_to_do(bare: Path, repository_at: RepositoryAt) -> None:
    with pytest.raises(ObjectMissing, match="fetch first"):
        repository_at(bare).file("1" * 40, "README.md")
