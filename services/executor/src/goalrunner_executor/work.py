"""One invocation's work on a step: the workspace, the engine, and what must outlive them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from goalrunner_events import Artifact, StepReadyV1
from goalrunner_executor.exits import DeadlineNear, Exit, Finished, NeedsClarification
from goalrunner_executor.job_files import Checkpoint, JobFiles
from goalrunner_executor.lease import Lease
from goalrunner_executor.out_folder import OutFolder
from goalrunner_executor.ports import Engine, Place, Run, Workspace
from goalrunner_executor.spend import Spend
from goalrunner_executor.transcript import Transcript
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.errors import PermanentError


@dataclass(frozen=True)
class Workshop:
    """What a step is worked on with. `now` is real time in seconds; `stop_before` what is kept before the end."""

    parts: Parts
    workspace: Workspace
    engines: Mapping[str, Engine]
    now: Callable[[], float]
    stop_before: float


@dataclass(frozen=True)
class Invocation:
    """One turn at a step; `remaining()` are the seconds until the function's end."""

    lease: Lease
    shop: Workshop
    files: JobFiles
    remaining: Callable[[], float]


@dataclass(frozen=True)
class Leave:
    """How the engine has left, and what lies in `out`."""

    way: Finished | Exit | PermanentError
    artifacts: tuple[Artifact, ...] = ()
    left_out: tuple[str, ...] = ()


class Saving:
    """Makes the engine's state, `out` and the spend outlive this process, for as long as the lease holds."""

    def __init__(self, lease: Lease, files: JobFiles, out: OutFolder, last: Checkpoint) -> None:
        self._lease = lease
        self._files = files
        self._out = out
        self._last = last

    def save(self, state: bytes, spend: Spend) -> None:
        """LostLease where another invocation has taken over."""
        self._keep(state, spend)

    def keep_out(self) -> tuple[Artifact, ...]:
        """Bring the checkpoint up to what lies in `out` now."""
        self._keep(self._last.state, self._lease.row.spend)
        return self._last.artifacts

    def _keep(self, state: bytes | None, spend: Spend) -> None:
        row = self._lease.row
        checkpoint = Checkpoint(state=state, artifacts=self._out.keep())
        changes: dict[str, Any] = {"spend": spend} if spend != row.spend else {}
        if checkpoint != self._last:
            key = self._files.put_checkpoint(checkpoint, fence=row.fence, number=row.saves + 1)
            changes |= {"checkpoint": key, "saves": row.saves + 1}
        if state != self._last.state:
            changes |= {"idle": 0, "in_doubt": False, "trouble": None}
        if changes:
            self._lease.write(**changes)
        self._last = checkpoint


def work(turn: Invocation) -> Leave:
    """Run the step's engine until it leaves; its transcript is kept whatever happens. TransientError."""
    ready = turn.files.input()
    engine = turn.shop.engines.get(ready.job.agent.engine)
    if engine is None:
        return Leave(PermanentError(f"the engine {ready.job.agent.engine} is not available here"))
    transcript = Transcript(turn.shop.parts.clock)
    try:
        with turn.shop.workspace.open(ready.job.commit) as place:
            return _work_in(place, engine, ready, transcript, turn)
    except PermanentError as error:
        return Leave(error)
    finally:
        turn.files.put_transcript(transcript.content(), fence=turn.lease.row.fence)


def _work_in(place: Place, engine: Engine, ready: StepReadyV1, transcript: Transcript, turn: Invocation) -> Leave:
    before = turn.files.checkpoint(turn.lease.row.checkpoint)
    out = OutFolder(place.out, turn.files)
    out.restore(before.artifacts)
    saving = Saving(turn.lease, turn.files, out, before)
    way = _way_out(engine, _run(place, ready, transcript, turn, saving, before.state))
    transcript.note("left", way=type(way).__name__, why=str(way))
    if isinstance(way, NeedsClarification | DeadlineNear):
        return Leave(way, saving.keep_out())
    return Leave(way, out.keep(), out.left_out)


def _run(
    place: Place, ready: StepReadyV1, transcript: Transcript, turn: Invocation, saving: Saving, state: bytes | None
) -> Run:
    row, shop = turn.lease.row, turn.shop
    return Run(
        attempt=row.attempt,
        goal=row.goal,
        job=ready.job,
        place=place,
        spend=row.spend,
        save=saving.save,
        note=transcript.note,
        remaining=lambda: turn.remaining() - shop.stop_before,
        clock=shop.parts.clock,
        logger=shop.parts.logger,
        checkpoint=state,
        answers=row.questions,
        taken_over=row.in_doubt,
    )


def _way_out(engine: Engine, run: Run) -> Finished | Exit | PermanentError:
    try:
        return engine.run(run)
    except (Exit, PermanentError) as way:
        return way
