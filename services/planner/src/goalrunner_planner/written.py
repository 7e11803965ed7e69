"""Attempt files on their way into the repository: one commit each, one push for all."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from goalrunner_shared.clock import slot_name
from goalrunner_shared.errors import InputError, TransientError
from goalrunner_shared.git.port import CommitDraft, GoalsRepository
from goalrunner_shared.goals.attempts import AttemptFile, attempt_path, parse_attempt, render_attempt


def write_attempts(
    attempts: Mapping[str, AttemptFile], *, repository: GoalsRepository, at: datetime
) -> Mapping[str, str]:
    """Write each planned attempt, by the id of the event that asked for it, unless its file is there already.

    Returns attempt id → the commit that holds its file; an attempt that already has a result is left out.
    """

    def build(tip: str) -> Sequence[CommitDraft]:
        folders = {f"attempts/{attempt.goal}" for attempt in attempts.values()}
        there = {entry.path for entry in repository.entries(tip, *sorted(folders))}
        return [_draft(one, event, at) for event, one in attempts.items() if attempt_path(one.id) not in there]

    written = repository.write(build)
    missing = [attempt.id for attempt in attempts.values() if attempt.id not in written]
    return {**written, **_found(missing, repository)} if missing else written


def _draft(attempt: AttemptFile, event_id: str, at: datetime) -> CommitDraft:
    return CommitDraft(
        key=attempt.id,
        subject=f"attempt({attempt.goal}): planned {slot_name(attempt.slot)}",
        files={attempt_path(attempt.id): render_attempt(attempt)},
        at=at,
        trailers=(("Goal-Id", attempt.goal), ("Attempt-Id", attempt.id), ("Event-Id", event_id)),
    )


def _found(attempts: Sequence[str], repository: GoalsRepository) -> Mapping[str, str]:
    tip = repository.fetch()
    commits = {}
    for attempt in attempts:
        path = attempt_path(attempt)
        content, commit = repository.file(tip, path), repository.last_commit(tip, path)
        if content is None or commit is None:
            raise TransientError(f"{path} was there and is gone again")
        if not _has_result(content):
            commits[attempt] = commit
    return commits


def _has_result(content: bytes) -> bool:
    try:
        return parse_attempt(content).status != "planned"
    except InputError:
        # Somebody broke the file by hand: the reporter writes it anew.
        return False
