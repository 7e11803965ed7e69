"""goal.due → the attempt file is in the repository and its step is ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from goalrunner_events import AttemptFinishedV1, AttemptPlannedV1, Event, GoalDueV1, Job, Outcome, StepReadyV1
from goalrunner_planner.briefing import past_attempts, read_goal
from goalrunner_planner.domain import MAIN_STEP, CannotPlan, job_of, plan_text
from goalrunner_planner.rows import AttemptRow
from goalrunner_planner.written import write_attempts
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.errors import MalformedMessage
from goalrunner_shared.git.errors import ObjectMissing
from goalrunner_shared.git.port import GoalsRepository
from goalrunner_shared.goals.attempts import AttemptFile
from goalrunner_shared.goals.ids import split_attempt_id
from goalrunner_shared.messages import Message
from goalrunner_shared.rows import change

PATIENCE = 3


@dataclass(frozen=True)
class Plan:
    """What an attempt will do (`job`), or why there is nothing to be done (`problem`)."""

    message: Message[GoalDueV1]
    job: Job | None = None
    problem: str | None = None

    @property
    def due(self) -> GoalDueV1:
        return self.message.body


def plan(messages: Sequence[Message[GoalDueV1]], *, parts: Parts, repository: GoalsRepository) -> None:
    """Write the attempt files of all messages with one push, then say for each that its step is ready.

    A goal that cannot be planned has its attempt file too; its attempt has failed. TransientError is the queue's.
    """
    known = {message.body.attempt: _row(message.body, parts) for message in messages}
    waiting = {each.body.attempt: each for each in messages if not _is_announced(known[each.body.attempt])}
    if not waiting:
        return
    repository.fetch()
    plans = [draw_up(message, repository=repository) for message in waiting.values()]
    fresh = [each for each in plans if known[each.due.attempt] is None]
    commits = _commit(fresh, parts=parts, repository=repository)
    for each in plans:
        row = known[each.due.attempt] or _open(each, commits, parts=parts)
        if row is not None:
            _announce(each, row, parts=parts)


def draw_up(message: Message[GoalDueV1], *, repository: GoalsRepository) -> Plan:
    """The plan of one attempt: a function of the event and of the repository at the event's commit."""
    due = message.body
    try:
        return Plan(message, job=job_of(read_goal(repository, due), due, past_attempts(repository, due)))
    except CannotPlan as error:
        return Plan(message, problem=str(error))
    except ObjectMissing:
        # A damaged mirror heals when it is asked again; a commit that was forced away never comes back.
        if message.receive_count < PATIENCE:
            raise
        return Plan(message, problem=f"commit {due.commit[:12]} is no longer in the repository")


def _row(due: GoalDueV1, parts: Parts) -> AttemptRow | None:
    if split_attempt_id(due.attempt).goal != due.goal:
        raise MalformedMessage(f"{due.attempt} is no attempt at {due.goal}")
    return parts.rows.get(AttemptRow, due.attempt)


def _is_announced(row: AttemptRow | None) -> bool:
    return row is not None and row.announced


def _commit(plans: Sequence[Plan], *, parts: Parts, repository: GoalsRepository) -> Mapping[str, str]:
    files = {each.message.meta.event_id: _attempt_file(each) for each in plans}
    return write_attempts(files, repository=repository, at=parts.clock()) if files else {}


def _attempt_file(plan: Plan) -> AttemptFile:
    due, job = plan.due, plan.job
    return AttemptFile(
        id=due.attempt,
        goal=due.goal,
        goal_commit=due.commit,
        slot=due.slot,
        trigger=due.trigger.value,
        engine=job.agent.engine if job else None,
        model=job.agent.model if job else None,
        planned_at=plan.message.meta.occurred_at,
        plan=plan_text(job) if job else f"Nothing could be planned: {plan.problem}",
    )


def _open(plan: Plan, commits: Mapping[str, str], *, parts: Parts) -> AttemptRow | None:
    due = plan.due
    if due.attempt not in commits:
        parts.logger.info("attempt has its result already", attempt=due.attempt)
        return None
    row = AttemptRow(
        goal=due.goal,
        path=due.path,
        slot=due.slot,
        trigger=due.trigger,
        commit=commits[due.attempt],
        steps=(MAIN_STEP,) if plan.job else (),
        problem=plan.problem,
    )
    # Where another invocation was faster, its row counts.
    return row if parts.rows.add(due.attempt, row) else parts.rows.get(AttemptRow, due.attempt)


def _announce(plan: Plan, row: AttemptRow, *, parts: Parts) -> None:
    parts.publisher.publish(*_news(plan, row), cause=plan.message.meta)
    change(parts.rows, AttemptRow, plan.due.attempt, lambda row: row.model_copy(update={"announced": True}))
    parts.logger.info("attempt planned", attempt=plan.due.attempt, commit=row.commit, problem=row.problem)


def _news(plan: Plan, row: AttemptRow) -> Sequence[Event]:
    due = plan.due
    if row.problem or plan.job is None:
        return [
            AttemptFinishedV1(
                attempt=due.attempt,
                goal=due.goal,
                path=due.path,
                slot=due.slot,
                trigger=due.trigger,
                outcome=Outcome.FAILED,
                reason=row.problem or plan.problem,
                steps=(),
            )
        ]
    planned = AttemptPlannedV1(
        attempt=due.attempt, goal=due.goal, title=plan.job.title, steps=row.steps, commit=row.commit
    )
    ready = (StepReadyV1(attempt=due.attempt, goal=due.goal, step=step, job=plan.job) for step in row.steps)
    return [planned, *ready]
