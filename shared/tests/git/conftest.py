import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from goalrunner_shared.git.conformance import LINKS, MODES, START
from goalrunner_shared.git.mirror import GitRepository

GitAt = Callable[..., str]
AUTHOR = "Goalrunner <goalrunner@example.org>"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of the test's own, with somebody's git configuration."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / ".gitconfig").write_text(
        "[user]\n\tname = Somebody\n\temail = somebody@example.org\n[init]\n\tdefaultBranch = main\n"
    )
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return folder


@pytest.fixture
def git() -> GitAt:
    """Plain git, as somebody else would run it: `git(folder, *args) -> stdout`."""

    def run(folder: Path, *args: str, data: bytes | None = None) -> str:
        done = subprocess.run(["git", *args], cwd=folder, input=data, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    return run


@pytest.fixture
def worktree(tmp_path: Path, git: GitAt) -> Path:
    """A work tree on main whose one commit holds START and LINKS."""
    folder = tmp_path / "worktree"
    folder.mkdir()
    git(folder, "init", "-q")
    for path, content in START.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
        (folder / path).chmod(0o755 if MODES.get(path) == "100755" else 0o644)
    for path, content in LINKS.items():
        (folder / path).symlink_to(content.decode())
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


@pytest.fixture
def bare(tmp_path: Path, worktree: Path, git: GitAt) -> Path:
    """A bare clone of the work tree."""
    git(tmp_path, "clone", "-q", "--bare", "--no-local", str(worktree), "remote.git")
    return tmp_path / "remote.git"


@pytest.fixture
def commit_to(tmp_path: Path, git: GitAt) -> Callable[[Path, Mapping[str, bytes]], str]:
    """Somebody else's clone, change and push to a remote: the new tip."""

    def commit(remote: Path, files: Mapping[str, bytes]) -> str:
        clone = tmp_path / f"elsewhere-{remote.name}"
        if not clone.exists():
            git(tmp_path, "clone", "-q", str(remote), str(clone))
        git(clone, "pull", "-q", "--ff-only")
        for path, content in files.items():
            (clone / path).parent.mkdir(parents=True, exist_ok=True)
            (clone / path).write_bytes(content)
        git(clone, "add", ".")
        git(clone, "commit", "-qm", "elsewhere")
        git(clone, "push", "-q")
        return git(clone, "rev-parse", "HEAD")

    return commit


@pytest.fixture
def repository_at(tmp_path: Path) -> Callable[..., GitRepository]:
    """A repository at any remote, its waits not waited for: `repository_at(remote, **changed)`."""

    def make(remote: Path | str, **changed: object) -> GitRepository:
        given: dict[str, object] = {
            **{"branch": None, "mirror": tmp_path / "state" / "mirror.git", "author": AUTHOR},
            **{"sleep": lambda seconds: None, "chance": lambda: 0.5},
        }
        return GitRepository(remote=str(remote), **{**given, **changed})  # type: ignore[arg-type]

    return make
