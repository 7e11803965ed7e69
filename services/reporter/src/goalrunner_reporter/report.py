"""attempt.finished → the result is committed and said."""

from collections.abc import Mapping, Sequence
from functools import partial

from goalrunner_events import AttemptFinishedV1, Outcome, ResultReportedV1
from goalrunner_reporter.domain import judge
from goalrunner_reporter.goal_file import next_due_in
from goalrunner_reporter.rows import ReportRow
from goalrunner_reporter.settle import Ending, changes
from goalrunner_reporter.tree import Tree
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.errors import MalformedMessage, TransientError
from goalrunner_shared.git.port import CommitDraft, GoalsRepository
from goalrunner_shared.goals.attempts import attempt_path, parse_attempt
from goalrunner_shared.goals.ids import split_attempt_id
from goalrunner_shared.messages import Message
from goalrunner_shared.rows import change

Ended = Message[AttemptFinishedV1]


def report(messages: Sequence[Ended], *, parts: Parts, repository: GoalsRepository) -> None:
    """Commit the results of all messages with one push, then say for each that it is committed.

    What is said is read from the commit, so that every repeat says the same. TransientError is the queue's.
    """
    known = {message.body.attempt: _row(message.body, parts) for message in messages}
    waiting = {each.body.attempt: each for each in messages if not _is_published(known[each.body.attempt])}
    if not waiting:
        return
    repository.fetch()
    fresh = [message for attempt, message in waiting.items() if known[attempt] is None]
    commits = _commit(fresh, parts=parts, repository=repository) if fresh else {}
    for attempt, message in waiting.items():
        row = known[attempt] or _open(attempt, commits[attempt], parts=parts)
        _announce(message, row, parts=parts, repository=repository)


def _row(event: AttemptFinishedV1, parts: Parts) -> ReportRow | None:
    if split_attempt_id(event.attempt).goal != event.goal:
        raise MalformedMessage(f"{event.attempt} is no attempt at {event.goal}")
    return parts.rows.get(ReportRow, event.attempt)


def _is_published(row: ReportRow | None) -> bool:
    return row is not None and row.published


def _commit(messages: Sequence[Ended], *, parts: Parts, repository: GoalsRepository) -> Mapping[str, str]:
    """Attempt → the commit that holds its result, written now or found."""
    endings = [_ending(message, parts) for message in messages]
    written = repository.write(partial(_drafts, endings=endings, parts=parts, repository=repository))
    missing = [message.body.attempt for message in messages if message.body.attempt not in written]
    return {**written, **_found(missing, repository)} if missing else written


def _ending(message: Ended, parts: Parts) -> Ending:
    event = message.body
    artifacts = [artifact for step in event.steps for artifact in step.artifacts]
    return Ending(
        event=event,
        event_id=message.meta.event_id,
        at=message.meta.occurred_at,
        verdicts=judge(artifacts, attempt=event.attempt, get=parts.blobs.get),
    )


def _drafts(tip: str, *, endings: Sequence[Ending], parts: Parts, repository: GoalsRepository) -> Sequence[CommitDraft]:
    """One commit for each result that the tip does not hold; each sees what those before it change."""
    tree = Tree(repository, tip, sorted({folder for ending in endings for folder in ending.folders}))
    drafts = []
    for ending in endings:
        files = changes(ending, tree)
        if files:
            tree.put(files)
            drafts.append(_draft(ending, files, parts))
    return drafts


def _draft(ending: Ending, files: Mapping[str, bytes], parts: Parts) -> CommitDraft:
    event = ending.event
    return CommitDraft(
        key=event.attempt,
        subject=f"attempt({event.goal}): {event.outcome.value}",
        files=files,
        at=parts.clock(),
        trailers=(("Goal-Id", event.goal), ("Attempt-Id", event.attempt), ("Event-Id", ending.event_id)),
    )


def _found(attempts: Sequence[str], repository: GoalsRepository) -> Mapping[str, str]:
    tip = repository.fetch()
    found = {attempt: repository.last_commit(tip, attempt_path(attempt)) for attempt in attempts}
    if gone := [attempt for attempt, commit in found.items() if commit is None]:
        raise TransientError(f"{attempt_path(gone[0])} was there and is gone again")
    return {attempt: commit for attempt, commit in found.items() if commit is not None}


def _open(attempt: str, commit: str, *, parts: Parts) -> ReportRow:
    row = ReportRow(commit=commit)
    if parts.rows.add(attempt, row):
        return row
    # Another invocation was faster: its row counts.
    return parts.rows.get(ReportRow, attempt) or row


def _announce(message: Ended, row: ReportRow, *, parts: Parts, repository: GoalsRepository) -> None:
    event = message.body
    parts.publisher.publish(reported(event, Tree(repository, row.commit)), cause=message.meta)
    change(parts.rows, ReportRow, event.attempt, lambda row: row.model_copy(update={"published": True}))
    parts.logger.info("result reported", attempt=event.attempt, commit=row.commit, outcome=event.outcome.value)


def reported(event: AttemptFinishedV1, tree: Tree) -> ResultReportedV1:
    """What the world is told of the report that the tree's commit holds."""
    attempt = parse_attempt(tree.file(attempt_path(event.attempt)) or b"")
    return ResultReportedV1(
        attempt=event.attempt,
        goal=event.goal,
        slot=event.slot,
        outcome=Outcome(attempt.status),
        reason=attempt.reason,
        summary=attempt.result,
        commit=tree.commit,
        cost_usd=float(attempt.cost_usd or 0),
        artifacts=attempt.artifacts,
        next_due=next_due_in(event, tree),
    )
