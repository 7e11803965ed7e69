from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goalrunner_shared.git.errors import one_line, without_credentials
from goalrunner_shared.git.mirror import GitRepository
from goalrunner_shared.git.port import CommitDraft, PushRefused, RepositoryUnreachable

GitAt = Callable[..., str]
RepositoryAt = Callable[..., GitRepository]


def report(tip: str) -> Sequence[CommitDraft]:
    return [CommitDraft(key="k", subject="Report", files={"x": b"1"}, at=datetime.now(UTC))]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pa@ss@host/x.git", "https://***@host/x.git"),
        ("fatal: 'https://ghp_token@host/x' and ssh://u:p@h:22/y", "fatal: 'https://***@host/x' and ssh://***@h:22/y"),
        ("https://host/x?private_token=abc&b=1", "https://host/x?private_token=***&b=1"),
        ("git@host:team/goals.git", "git@host:team/goals.git"),
        ("/srv/goals@home", "/srv/goals@home"),
    ],
)
def test_credentials_are_taken_out_of_text(text: str, shown: str) -> None:
    assert without_credentials(text) == shown


def test_what_the_remote_says_becomes_one_line() -> None:
    said = "remote: no pushes\nremote: \nerror: failed to push some refs to 'https://a:b@host/x'\n"
    assert one_line(said) == "no pushes; failed to push some refs to 'https://***@host/x'"


def test_no_error_shows_the_credentials_of_the_remote(repository_at: RepositoryAt) -> None:
    repository = repository_at("http://someone:hunter2@127.0.0.1:9/goals.git?access_token=hunter2")
    for use in (repository.fetch, lambda: repository.write(report)):
        with pytest.raises(RepositoryUnreachable) as caught:
            use()
        assert "hunter2" not in str(caught.value)
        assert "127.0.0.1:9" in str(caught.value)
        assert caught.value.__cause__ is None or "hunter2" not in repr(caught.value.__cause__)


def test_the_mirror_does_not_keep_the_credentials(
    tmp_path: Path, bare: Path, repository_at: RepositoryAt, home: Path
) -> None:
    with (home / ".gitconfig").open("a") as configuration:
        configuration.write(f'[url "{bare}"]\n\tinsteadOf = https://someone:hunter2@host/goals.git\n')
    repository = repository_at("https://someone:hunter2@host/goals.git")
    repository.fetch()
    assert repository.write(report)
    kept = [path for path in (tmp_path / "state").rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]
    assert kept == []


def test_a_remote_never_runs_a_command_of_its_address(
    tmp_path: Path, repository_at: RepositoryAt, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (home / ".gitconfig").open("a") as configuration:
        configuration.write('[protocol "ext"]\n\tallow = always\n')
    monkeypatch.setenv("GIT_ALLOW_PROTOCOL", "ext:file")
    with pytest.raises(RepositoryUnreachable, match="'ext' not allowed"):
        repository_at(f"ext::sh -c touch% {tmp_path}/ran").fetch()
    assert not (tmp_path / "ran").exists()


def test_an_address_that_looks_like_an_option_is_only_an_address(tmp_path: Path, repository_at: RepositoryAt) -> None:
    with pytest.raises(RepositoryUnreachable):
        repository_at(f"--upload-pack=touch {tmp_path}/ran;://x").fetch()
    assert not (tmp_path / "ran").exists()


def test_a_git_process_round_ours_does_not_leak_in(
    bare: Path, worktree: Path, git: GitAt, tmp_path: Path, repository_at: RepositoryAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a hook starts us: its repository, index, objects, quarantine, author and configuration are not ours."""
    before = git(worktree, "rev-parse", "main")
    leaks = {
        **{"GIT_DIR": str(worktree / ".git"), "GIT_WORK_TREE": str(worktree), "GIT_INDEX_FILE": "/nowhere"},
        **{"GIT_OBJECT_DIRECTORY": str(tmp_path / "objects"), "GIT_QUARANTINE_PATH": str(tmp_path)},
        **{"GIT_AUTHOR_NAME": "Leak", "GIT_COMMITTER_DATE": "yesterday", "GIT_NAMESPACE": "leak"},
        **{"GIT_COMMON_DIR": str(worktree / ".git"), "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.bare"},
        **{"GIT_CONFIG_VALUE_0": "nonsense", "GIT_CONFIG_PARAMETERS": "'core.bare'='nonsense'", "GIT_PREFIX": "x/"},
        **{"GIT_TEMPLATE_DIR": "/nowhere", "GIT_DEFAULT_HASH": "sha256", "GIT_GLOB_PATHSPECS": "1"},
    }
    for name, value in leaks.items():
        monkeypatch.setenv(name, value)
    repository = repository_at(bare)
    done = repository.write(report)
    repository.checkout(done["k"], tmp_path / "checkout")
    for name in leaks:
        monkeypatch.delenv(name)
    assert git(bare, "log", "-1", "--format=%H %an %cn") == f"{done['k']} Goalrunner Goalrunner"
    assert git(worktree, "rev-parse", "main") == before
    assert (tmp_path / "checkout" / "x").read_bytes() == b"1"
    assert not (tmp_path / "objects").exists()


def test_the_user_s_configuration_changes_no_commit(
    bare: Path, git: GitAt, tmp_path: Path, repository_at: RepositoryAt, home: Path
) -> None:
    hooks = home / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran-{name}\nexit 1\n")
        (hooks / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {hooks}\n\tautocrlf = true\n[commit]\n\tgpgSign = true\n[push]\n\tgpgSign = true\n"
        f'[filter "lfs"]\n\tsmudge = touch {tmp_path}/ran-lfs\n\trequired = true\n'
        f'[filter "any"]\n\tsmudge = touch {tmp_path}/ran-any\n[i18n]\n\tcommitEncoding = latin1\n'
        f"[init]\n\ttemplateDir = {hooks}\n"
    )
    repository = repository_at(bare)

    def build(tip: str) -> Sequence[CommitDraft]:
        files = {".gitattributes": b"*.bin filter=lfs\n*.any filter=any\n", "a.bin": b"pointer\n", "a.any": b"any\n"}
        return [CommitDraft(key="k", subject="ümlaut", files=files, at=datetime.now(UTC))]

    # reference-transaction runs in the remote too, where the user's hooks are the user's own affair
    (hooks / "reference-transaction").unlink()
    done = repository.write(build)
    repository.checkout(done["k"], tmp_path / "checkout")
    assert (tmp_path / "checkout" / "a.bin").read_bytes() == b"pointer\n"
    assert (tmp_path / "checkout" / "a.any").read_bytes() == b"any\n"
    assert (tmp_path / "checkout" / "README.md").read_bytes() == b"# Goals\n"
    assert list(tmp_path.glob("ran-*")) == []
    (home / ".gitconfig").unlink()
    assert git(bare, "log", "-1", "--format=%s") == "ümlaut"


def test_a_credential_helper_of_the_user_is_asked_and_nobody_is_prompted(
    tmp_path: Path, repository_at: RepositoryAt, home: Path
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(f'#!/bin/sh\necho "$GIT_TERMINAL_PROMPT" > {tmp_path}/asked\nexit 1\n')
    ssh.chmod(0o755)
    (home / ".gitconfig").write_text(f"[core]\n\tsshCommand = {ssh}\n")
    with pytest.raises(RepositoryUnreachable):
        repository_at("git@host:goals.git").fetch()
    assert (tmp_path / "asked").read_text() == "0\n"


def test_a_remote_that_never_answers_is_given_up(
    tmp_path: Path, repository_at: RepositoryAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\nexec sleep 60\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH", str(ssh))
    with pytest.raises(RepositoryUnreachable, match=r"no answer within 0\.3 seconds"):
        repository_at("git@host:goals.git", timeout=0.3).fetch()


def test_a_refusal_never_needs_more_than_three_pushes(bare: Path, tmp_path: Path, repository_at: RepositoryAt) -> None:
    hook = bare / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\necho asked >> {tmp_path}/asked\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PushRefused, match="pre-receive hook declined"):
        repository_at(bare).write(report)
    assert (tmp_path / "asked").read_text().split() == ["asked"] * 3
