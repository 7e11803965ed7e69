"""What follows when an invocation ends: row first, then event, then the mark that the event is out."""

from goalrunner_events import Event, Meta, StepFinishedV1, StepSuspendedV1
from goalrunner_executor.domain import MAX_QUESTIONS, ask, asking, ending_of, failed, result_of
from goalrunner_executor.exits import DeadlineNear, Finished, NeedsClarification
from goalrunner_executor.job_files import JobFiles
from goalrunner_executor.lease import Lease, LostLease
from goalrunner_executor.rows import StepRun, StepState
from goalrunner_executor.work import Leave
from goalrunner_shared.bootstrap import Parts


def conclude(lease: Lease, leave: Leave, *, parts: Parts, files: JobFiles, cause: Meta) -> None:
    """Bring the step into the state that the engine has left it in, and say so."""
    way = leave.way
    match way:
        case DeadlineNear():
            lease.write(state=StepState.SUSPENDED, published=False, lease_until=0.0)
        case NeedsClarification() if len(lease.row.questions) < MAX_QUESTIONS:
            lease.write(**asking(lease.row, ask(files.input(), lease.row, way)))
        case NeedsClarification():
            _finish(lease, failed(f"stopped after {MAX_QUESTIONS} questions"), leave, files)
        case Finished():
            _finish(lease, way, leave, files)
        case _:
            _finish(lease, ending_of(way), leave, files)
    publish(lease, parts=parts, files=files, cause=cause)


def publish(lease: Lease, *, parts: Parts, files: JobFiles, cause: Meta) -> None:
    """Publish the event of the row's state (once more: it has the same id), then mark it published."""
    parts.publisher.publish(_event(lease.row, files), cause=cause)
    try:
        lease.write(published=True)
    except LostLease:
        # What has been published is out: whoever has changed the row since then goes on from there.
        parts.logger.info("the step has gone on already", step=f"{lease.row.attempt}/{lease.row.step}")


def _finish(lease: Lease, finished: Finished, leave: Leave, files: JobFiles) -> None:
    result = result_of(lease.row, finished, artifacts=leave.artifacts, left_out=leave.left_out)
    key = files.put_result(result, fence=lease.row.fence)
    lease.write(state=StepState.FINISHED, result=key, published=False, lease_until=0.0)


def _event(row: StepRun, files: JobFiles) -> Event:
    match row.state:
        case StepState.WAITING if row.asked is not None:
            return row.asked
        case StepState.SUSPENDED:
            return StepSuspendedV1(attempt=row.attempt, goal=row.goal, step=row.step, fence=row.fence)
        case StepState.FINISHED if row.result is not None:
            return StepFinishedV1(attempt=row.attempt, goal=row.goal, result=files.result(row.result))
        case _:
            raise AssertionError(f"a step that is {row.state} has nothing to say")
