"""How each goal stands, read from the repository; which questions are open, read from the notifier's table."""

from pathlib import Path

from rich.console import RenderableType

from goalrunner_events import QuestionState
from goalrunner_local.answers import forget_answers, keep_answer
from goalrunner_local.choose import MAX_GOAL_BYTES, Choice
from goalrunner_local.display import result_table
from goalrunner_local.functions import RunSettings
from goalrunner_local.questions import all_questions, find_question, line_of
from goalrunner_local.system import attached_system
from goalrunner_local.view import GoalLine, QuestionLine, RunView
from goalrunner_shared.errors import InputError
from goalrunner_shared.goals.attempts import AttemptFile, attempt_of_path, parse_attempt
from goalrunner_shared.goals.defaults import DEFAULTS_PATH, parse_defaults
from goalrunner_shared.goals.parse import is_goal_path, parse_goal
from goalrunner_shared.goals.problems import InvalidGoal
from goalrunner_shared.goals.state import GoalState

MAX_ATTEMPT_BYTES = 4 * 1024 * 1024


def read_status(choice: Choice) -> RunView:
    """Every goal with its last attempt, or the one that is being made; InputError, RepositoryUnreachable."""
    view = RunView()
    questions = _open_questions(choice)
    repository = choice.mirror()
    tip = repository.fetch()
    unfinished = _unfinished(choice)
    defaults = parse_defaults(repository.file(tip, DEFAULTS_PATH))
    entries = [entry for entry in repository.entries(tip, "goals/") if is_goal_path(entry.path)]
    contents = repository.read((entry.blob for entry in entries), limit=MAX_GOAL_BYTES)
    for entry, content in zip(entries, contents, strict=True):
        name = Path(entry.path).stem
        try:
            parsed = parse_goal(entry.path, content, defaults)
        except InvalidGoal as problem:
            # By its path: a goal that is good may go by the same name.
            view.goals[entry.path] = GoalLine(name, outcome="rejected", reason=str(problem))
            continue
        line = _line(parsed.goal.id, parsed.goal.title, parsed.state)
        if attempt := unfinished.get(parsed.goal.id):
            line.attempt, line.outcome, line.reason = attempt, None, "being made, or taken up by the next up"
            line.questions = [each for owner, each in questions if owner == attempt]
        view.goals[line.id] = line
    return view


def status_table(view: RunView) -> RenderableType:
    """The status as a table."""
    return result_table(view, title="")


def give_answer(choice: Choice, *, question: str, text: str) -> str:
    """Keep an answer for whoever runs, or will run; what to tell the person. InputError for no such open question."""
    if not text.strip():
        raise InputError(f'the answer to {question} is empty: goalrunner answer {question} "TEXT"')
    with attached_system(choice.state, RunSettings(choice.repository)) as system:
        found = find_question(system.cloud, question)
        known = sorted(each.id for each in all_questions(system.cloud) if each.is_open)
    if found is not None and not found.is_open:
        raise InputError(f"the question {question} is closed ({found.state}): goalrunner status lists the open ones")
    if found is None and not _was_asked(choice, question):
        raise InputError(f"there is no open question {question}: {_listed(known)}")
    replaced = forget_answers(choice.state.answers, question=question)
    keep_answer(choice.state.answers, question=question, text=text)
    if choice.state.running():
        return f"{question} is answered"
    instead = ", in the place of the one before" if replaced else ""
    return f"the answer to {question} is kept{instead}: the next goalrunner up delivers it"


def _listed(known: list[str]) -> str:
    return f"open are {', '.join(known)}" if known else "none is open; goalrunner status shows how the goals stand"


def _was_asked(choice: Choice, question: str) -> bool:
    # After a crash the table is empty until the next `up` has asked again; what was shown may still be answered.
    from goalrunner_notifier.adapters.terminal import read_outbox

    posted, _ = read_outbox(choice.state.terminal)
    open_attempts = set(_unfinished(choice).values())
    return any(each.notice.question == question and each.notice.attempt in open_attempts for each in posted)


def _open_questions(choice: Choice) -> list[tuple[str, QuestionLine]]:
    if not choice.state.root.exists():
        return []
    with attached_system(choice.state, RunSettings(choice.repository)) as system:
        return [
            (each.request.attempt, line_of(each))
            for each in all_questions(system.cloud)
            if each.state is QuestionState.OPEN
        ]


def _unfinished(choice: Choice) -> dict[str, str]:
    """Goal → the attempt whose file has no result yet."""
    repository = choice.mirror()
    tip = repository.fetch()
    entries = [entry for entry in repository.entries(tip, "attempts/") if attempt_of_path(entry.path)]
    contents = repository.read((entry.blob for entry in entries), limit=MAX_ATTEMPT_BYTES)
    files = (_attempt(content) for content in contents if content is not None)
    return {file.goal: file.id for file in files if file and file.status == "planned"}


def _attempt(content: bytes) -> AttemptFile | None:
    # A file that somebody has edited beyond recognition keeps nobody from seeing the others.
    try:
        return parse_attempt(content)
    except InputError:
        return None


def _line(goal: str, title: str, state: GoalState | None) -> GoalLine:
    if state is None:
        return GoalLine(goal, title, outcome="skipped", reason="not yet attempted")
    due = f"next due {state.next_due:%Y-%m-%d %H:%M} UTC" if state.next_due else None
    return GoalLine(
        goal, title, outcome=state.outcome, attempt=state.last_attempt, cost_usd=float(state.spent_usd), reason=due
    )
