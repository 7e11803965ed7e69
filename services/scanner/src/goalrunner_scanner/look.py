"""Look at the repository: list everything, read only what is not remembered."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from goalrunner_scanner.domain import Ended, Entry, Facts, Sight, Unreadable, facts_of, has_no_report, misfits, slot_of
from goalrunner_scanner.domain import stem as stem_of
from goalrunner_scanner.memory import Memory
from goalrunner_shared.errors import InputError
from goalrunner_shared.git.port import GoalsRepository, TreeEntry
from goalrunner_shared.goals.attempts import AttemptFile, attempt_of_path, parse_attempt
from goalrunner_shared.goals.defaults import DEFAULTS_PATH, NO_DEFAULTS, Defaults, parse_defaults
from goalrunner_shared.goals.goal_set import check_set
from goalrunner_shared.goals.parse import is_goal_path, parse_goal
from goalrunner_shared.goals.problems import InvalidGoal
from goalrunner_shared.goals.source import LARGEST, LINK, UNREADABLE_PATH

GOALS, ATTEMPTS = "goals/", "attempts/"
LARGEST_ATTEMPT = 4 * 1024 * 1024
FILE = "100"


def look(repository: GoalsRepository, *, memory: Memory, slot: datetime) -> Sight:
    """The repository at its tip, as `slot` sees it; RepositoryUnreachable."""
    commit = repository.fetch()
    content = repository.file(commit, DEFAULTS_PATH)
    defaults, problem = _defaults(content)
    known = memory.recall(sha256(content or b"").hexdigest())
    attempts: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    unknown: list[TreeEntry] = []
    now = int(slot.timestamp())
    for file in repository.entries(commit, "attempts", "goals"):
        path = file.path
        if path.startswith(ATTEMPTS):
            attempts[path] = file.blob
            continue
        entry = known.get(path)
        if entry is None or entry[0] != file.blob or (type(entry) is Facts and not entry.holds_in(now)):
            if is_goal_path(path):
                unknown.append(file)
        else:
            entries[path] = entry
    fresh = dict(_read(repository, unknown, defaults, slot))
    entries |= fresh
    goals, rejected = _sorted(repository, entries, defaults)
    planned, ended = _planned(repository, goals, attempts, known)
    memory.keep({**fresh, **ended}, commit=commit, listed=entries.keys() | attempts.keys())
    if problem is not None:
        blob = sha256(content or b"").hexdigest()
        rejected = {DEFAULTS_PATH: Unreadable(blob, problem.line, problem.problem, problem.hint), **rejected}
    held = None if problem is None else str(problem)
    return Sight(commit=commit, goals=goals, rejected=rejected, attempts=attempts, planned=planned, held=held)


def _defaults(content: bytes | None) -> tuple[Defaults, InvalidGoal | None]:
    try:
        return parse_defaults(content), None
    except InvalidGoal as error:
        return NO_DEFAULTS, error


def _read(
    repository: GoalsRepository, files: Sequence[TreeEntry], defaults: Defaults, slot: datetime
) -> Iterator[tuple[str, Entry]]:
    plain: list[TreeEntry] = []
    for file in files:
        if odd := _oddity(file):
            yield file.path, odd
        else:
            plain.append(file)
    contents = repository.read([file.blob for file in plain], limit=LARGEST) if plain else iter(())
    for file, content in zip(plain, contents, strict=True):
        try:
            yield file.path, facts_of(file.blob, parse_goal(file.path, content, defaults), slot)
        except InvalidGoal as error:
            yield file.path, Unreadable(file.blob, error.line, error.problem, error.hint)


def _oddity(file: TreeEntry) -> Unreadable | None:
    """What git can hold and a goal cannot be; the mode is part of what is remembered, as the blob does not show it."""
    if not file.mode.startswith(FILE):
        blob = f"{file.mode} {file.blob}"
        return Unreadable(blob, 1, *LINK)
    if not file.path.isprintable():
        return Unreadable(file.blob, 1, *UNREADABLE_PATH)
    return None


def _sorted(
    repository: GoalsRepository, entries: Mapping[str, Entry], defaults: Defaults
) -> tuple[dict[str, tuple[str, Facts]], dict[str, Unreadable]]:
    """The valid goals by id, and the rejected files by path: unreadable, or at odds with another file."""
    goals = {path: entry for path, entry in entries.items() if type(entry) is Facts}
    rejected = {path: entry for path, entry in entries.items() if type(entry) is Unreadable}
    broken = {stem_of(path) for path in rejected}
    if odd := misfits(goals, broken):
        odd_ids = {goals[path].goal for path in odd}
        contents = repository.read([goals[path].blob for path in odd], limit=LARGEST)
        parsed = [parse_goal(path, content, defaults) for path, content in zip(odd, contents, strict=True)]
        others = {facts.goal for facts in goals.values()} - odd_ids
        for error in check_set(parsed, broken=others | broken):
            rejected[error.path] = Unreadable(goals.pop(error.path).blob, error.line, error.problem, error.hint)
    return {facts.goal: (path, facts) for path, facts in goals.items()}, rejected


def _planned(
    repository: GoalsRepository,
    goals: Mapping[str, tuple[str, Facts]],
    attempts: Mapping[str, str],
    known: Mapping[str, Entry],
) -> tuple[dict[str, AttemptFile], dict[str, Ended]]:
    """By goal its attempt without a result, and the attempt files that need not be read again."""
    wanted = [path for path in _unreported(goals, attempts) if known.get(path) != (attempts[path],)]
    contents = repository.read([attempts[path] for path in wanted], limit=LARGEST_ATTEMPT) if wanted else iter(())
    planned: dict[str, AttemptFile] = {}
    ended: dict[str, Ended] = {}
    for path, content in zip(wanted, contents, strict=True):
        attempt = _attempt(path, content)
        if attempt is None or attempt.status != "planned":
            ended[path] = Ended(attempts[path])
        else:
            planned[attempt.goal] = attempt
    return planned, ended


def _unreported(goals: Mapping[str, tuple[str, Facts]], attempts: Iterable[str]) -> list[str]:
    """Attempt files, by name alone, of which the goal's state block says nothing.

    Of a goal whose file is gone or invalid only the newest slot counts: one attempt ends before the next begins.
    """
    found: list[str] = []
    newest: dict[str, list[tuple[str, str]]] = {}
    for path in attempts:
        attempt = attempt_of_path(path)
        if attempt is None:
            continue
        goal = attempt.partition(".")[0]
        if goal not in goals:
            newest.setdefault(goal, []).append((slot_of(attempt), path))
        elif has_no_report(attempt, goals[goal][1]):
            found.append(path)
    for slots in newest.values():
        last = max(slots)[0]
        found += (path for slot, path in slots if slot == last)
    return found


def _attempt(path: str, content: bytes | None) -> AttemptFile | None:
    try:
        attempt = parse_attempt(content or b"")
    except InputError:
        return None
    return attempt if attempt.id == attempt_of_path(path) else None
