from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from goalrunner_shared.git.fake import InMemoryRepository
from goalrunner_shared.git.port import CommitDraft, GoalsRepository, PushRefused, RepositoryUnreachable

AT = datetime(2026, 1, 1, tzinfo=UTC)


def draft(key: str = "k") -> CommitDraft:
    return CommitDraft(key=key, subject="Report", files={key: b"1"}, at=AT, trailers=[("Attempt-Id", key)])


def test_the_fake_is_the_port() -> None:
    repository: GoalsRepository = InMemoryRepository({})
    assert repository.fetch()


def test_a_provoked_move_happens_once_between_build_and_push() -> None:
    repository = InMemoryRepository({"a": b"1"})
    repository.move_before_next_push({"a": b"2", "b": b""})
    seen: list[bytes | None] = []

    def build(tip: str) -> Sequence[CommitDraft]:
        seen.append(repository.file(tip, "a"))
        return [draft()]

    repository.write(build)
    repository.write(build)
    assert seen == [b"1", b"2", b"2"]


def test_the_history_shows_what_was_made_and_by_which_draft() -> None:
    repository = InMemoryRepository({"a": b"1"})
    done = repository.write(lambda tip: [draft("x"), draft("y")])
    repository.commit_elsewhere({"a": None})
    history = repository.history()
    assert [one.draft.key if one.draft else None for one in history] == [None, "y", "x", None]
    assert history[1].id == done["y"]
    assert history[1].message == "Report\n\nAttempt-Id: y\n"
    assert repository.file(repository.fetch(), "a") is None


def test_the_same_work_gives_the_same_commits() -> None:
    first, second = (InMemoryRepository({"a": b"1"}) for _ in range(2))
    assert first.write(lambda tip: [draft()]) == second.write(lambda tip: [draft()])


def test_an_unreachable_remote_is_neither_read_nor_pushed_to() -> None:
    repository = InMemoryRepository({"a": b"1"})
    repository.reachable = False
    with pytest.raises(RepositoryUnreachable):
        repository.fetch()
    with pytest.raises(RepositoryUnreachable):
        repository.write(lambda tip: [draft()])


def test_a_refusal_can_be_taken_back() -> None:
    repository = InMemoryRepository({"a": b"1"})
    repository.refuse_pushes("not today")
    with pytest.raises(PushRefused, match="not today"):
        repository.write(lambda tip: [draft()])
    repository.refuse_pushes(None)
    assert repository.write(lambda tip: [draft()])
