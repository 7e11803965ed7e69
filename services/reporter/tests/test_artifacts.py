"""What may be committed of what an agent leaves behind, and what is said of the rest."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalrunner_events import Artifact
from goalrunner_reporter.domain import (
    MAX_ALL_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES,
    Accepted,
    Refused,
    judge,
    name_problem,
)
from goalrunner_reporter.secrets import redacted, secret_in
from goalrunner_shared.git.fake import InMemoryRepository

ATTEMPT = "shelf.2026-01-01T1000Z.abcdef"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
TELEGRAM = "123456789:" + "AAtestAAtestAAtestAAtestAAtestAAtes"
SECRETS = {
    "an AWS access key": "id = AKIATESTTESTTESTTEST",
    "an AWS secret key": "aws_secret_access_key = " + "test" * 10,
    "an Anthropic key": "key: sk-ant-test-0123456789",
    "a private key": "-----BEGIN OPENSSH PRIVATE KEY-----\ntest\n-----END OPENSSH PRIVATE KEY-----",
    "a Telegram token": f"bot{{{TELEGRAM}}}",
}
BAD_NAMES = [
    "",
    "/etc/passwd",
    "../x",
    "a/../../x",
    "a/./b",
    "a//b",
    "a/",
    "~/x",
    "C:/x",
    "a\\..\\x",
    ".git/config",
    "a/.GIT/hooks/x",
    "git~1/x",
    ".git. /x",
    ".g\u200cit/x",
    "a\nb",
    "a\0b",
    "a\u202eb",
    "\ud800",
    "é" * 101,
]


def _artifact(path: str, size: int = 0, **changes: Any) -> Artifact:
    blob = {"key": f"jobs/{ATTEMPT}/main/out/{path}", "sha256": EMPTY, "bytes": size} | changes
    return Artifact.model_construct(path=path, blob=Artifact.model_validate({"path": "x", "blob": blob}).blob)


def _judge(*artifacts: Artifact, contents: Mapping[str, bytes] | None = None) -> list[Any]:
    return list(judge(artifacts, attempt=ATTEMPT, get=lambda key: (contents or {}).get(key, b"")))


@pytest.mark.parametrize("path", BAD_NAMES)
def test_a_name_that_leads_elsewhere_is_refused(path: str) -> None:
    assert name_problem(path) is not None


@pytest.mark.parametrize("path", ["a.md", "a/b c/d.txt", "été/№1.md", ".gitignore", "a.git/x", "x" * 200, "日本.md"])
def test_a_plain_name_is_taken(path: str) -> None:
    assert name_problem(path) is None


@given(path=st.text(alphabet="ab./\\~:\0\n\u200dgitGIT ", max_size=12))
def test_no_accepted_name_leaves_its_folder(path: str) -> None:
    if name_problem(path) is None:
        parts = path.split("/")
        assert ".." not in parts
        assert not path.startswith("/")
        assert ".git" not in [part.strip(" .").casefold() for part in parts] + [part.casefold() for part in parts]


def test_files_beyond_the_number_are_refused_by_name() -> None:
    verdicts = _judge(*(_artifact(f"{number}.md") for number in range(MAX_FILES + 2)))
    assert [type(verdict) for verdict in verdicts] == [Accepted] * MAX_FILES + [Refused] * 2
    assert verdicts[-1] == Refused(f"{MAX_FILES + 1}.md", "more than 200 files")


def test_files_beyond_the_size_are_refused_by_name() -> None:
    big = b"x" * MAX_FILE_BYTES
    verdicts = _judge(_artifact("big", MAX_FILE_BYTES + 1), _artifact("gone", 1))
    assert [verdict.reason for verdict in verdicts] == [
        "larger than 10 MB",
        "its bytes are not those that the agent left",
    ]
    digest = hashlib.sha256(big).hexdigest()
    many = [_artifact(f"{n}", MAX_FILE_BYTES, sha256=digest) for n in range(MAX_ALL_BYTES // MAX_FILE_BYTES + 1)]
    verdicts = _judge(*many, _artifact("small"), contents={each.blob.key: big for each in many})
    assert [verdict.path for verdict in verdicts if isinstance(verdict, Refused)] == ["5"]


def test_bytes_that_are_gone_or_another_attempts_are_refused() -> None:
    get = {"jobs/other/main/out/x": b""}.get
    verdicts = judge([_artifact("x"), _artifact("y", key="jobs/other/main/out/x")], attempt=ATTEMPT, get=get)
    assert list(verdicts) == [Refused("x", "its bytes are gone"), Refused("y", "it is no file of this attempt")]


def test_bytes_that_are_not_those_that_were_left_are_refused() -> None:
    verdicts = _judge(_artifact("x", 1), contents={f"jobs/{ATTEMPT}/main/out/x": b"y"})
    assert verdicts == [Refused("x", "its bytes are not those that the agent left")]


def test_a_link_in_the_repository_is_not_written_through(world: Any) -> None:
    modes = {"artifacts/shelf/list.md": "120000", "artifacts/shelf/more": "120000"}
    files = world.tree() | dict.fromkeys(modes, b"../../README.md")
    world.repository = InMemoryRepository(files, modes=modes)
    attempt = world.plan()
    world.handle(world.ended(files={"list.md": b"x", "more/list.md": b"x"}))
    assert world.attempt(attempt).artifacts == ()
    assert {path: world.tree()[path] for path in files if "goals/" not in path} == {
        path: content for path, content in files.items() if "goals/" not in path
    }


def test_a_file_and_a_folder_of_one_name_cannot_both_be_taken() -> None:
    verdicts = _judge(_artifact("a"), _artifact("a/b"), _artifact("c/d"), _artifact("c"), _artifact("ab"))
    assert [verdict.path for verdict in verdicts if isinstance(verdict, Accepted)] == ["a", "c/d", "ab"]


@pytest.mark.parametrize(("kind", "text"), SECRETS.items())
def test_what_looks_like_a_secret_is_found_and_taken_out(kind: str, text: str) -> None:
    assert secret_in(text.encode()) == kind
    clean = redacted(f"before\n{text}\nafter")
    assert secret_in(clean.encode()) is None
    assert f"[{kind}, removed]" in clean
    assert clean.startswith("before\n")
    assert clean.endswith("\nafter")


@pytest.mark.parametrize("text", ["sk-ant-", "12:30", "AKIA", "-----BEGIN CERTIFICATE-----", "see 1234567890:abc"])
def test_plain_text_is_no_secret(text: str) -> None:
    assert redacted(text) == text


def test_a_refused_file_is_named_with_its_reason_and_fails_nothing(world: Any) -> None:
    attempt = world.plan()
    files = {"good.md": b"fine", "../bad.md": b"x", "key.txt": SECRETS["an Anthropic key"].encode()}
    world.handle(world.ended(files=files))
    written = world.attempt(attempt)
    assert (written.status, written.artifacts) == ("done", ("artifacts/shelf/good.md",))
    assert '- "../bad.md": its path has an empty part, `.` or `..`' in written.result
    assert '- "key.txt": it seems to hold an Anthropic key' in written.result
    assert not any(b"sk-ant-" in content for content in world.tree().values())


def test_what_stands_in_the_way_in_the_repository_refuses_the_file(world: Any) -> None:
    attempt = world.plan()
    mine = {"artifacts/shelf/a/b.md": b"mine", "artifacts/shelf/c": b"mine", "artifacts/shelf/e": b"mine"}
    world.repository.commit_elsewhere(mine)
    world.handle(world.ended(files={"a": b"x", "c/d": b"x", "e": b"new"}))
    assert world.tree()["artifacts/shelf/a/b.md"] == b"mine"
    assert world.attempt(attempt).artifacts == ("artifacts/shelf/e",)
    assert "artifacts/shelf/a/b.md in the repository stands in its way" in world.attempt(attempt).result


def test_a_secret_in_what_the_agent_says_is_taken_out(world: Any) -> None:
    world.plan()
    texts = dict.fromkeys(("summary", "next_step", "output", "reason"), SECRETS["an Anthropic key"])
    evidence = [{"criterion": "the first one", "met": True, "note": SECRETS["a Telegram token"]}]
    questions = [{"id": "abcdefghij", "text": "Key?", "state": "answered", "answer": SECRETS["an AWS access key"]}]
    world.handle(world.ended(evidence=evidence, questions=questions, **texts))
    everything = b"".join(world.tree().values()).decode() + json.dumps(list(map(str, world.contents().values())))
    assert "sk-ant-" not in everything
    assert secret_in(everything.encode()) is None


def test_an_agents_own_names_are_made_fit_for_the_file(world: Any) -> None:
    attempt = world.plan()
    criteria = ["AC1", "the first one", "### AC2 (met)", "é", "x" * 300]
    evidence = [{"criterion": name, "met": False, "note": "## Plan\n---"} for name in criteria]
    world.handle(world.ended(evidence=evidence, model="some model/9"))
    names = [each.criterion for each in world.attempt(attempt).evidence]
    assert names == ["AC1", "the-first-one", "AC2-met-", "unnamed", "x" * 128]
    assert (world.attempt(attempt).plan, world.attempt(attempt).model) == ("Tidy up.", "some-model/9")
