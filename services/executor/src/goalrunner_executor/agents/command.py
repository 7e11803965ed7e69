"""The engine `command`: one program, no model. It cannot be resumed: a new invocation starts it again."""

from dataclasses import dataclass

from goalrunner_events import Outcome
from goalrunner_executor.exits import Finished
from goalrunner_executor.ports import Run
from goalrunner_executor.tools.process import CannotStart, Ended, Surroundings, run_program


@dataclass(frozen=True)
class CommandEngine:
    """Runs the goal's argv in the checkout: exit 0 is done, all else has failed."""

    surroundings: Surroundings

    def run(self, run: Run) -> Finished:
        agent = run.job.agent
        seconds = min(float(agent.timeout_seconds), run.remaining())
        run.note("command", argv=agent.argv, seconds=seconds)
        if not agent.argv or seconds <= 0:
            return _failed("there is no argv to run" if not agent.argv else "the function has no time left for it")
        try:
            ended = run_program(
                agent.argv, cwd=run.place.repo, environment=self.surroundings.environment(run), timeout=seconds
            )
        except CannotStart as error:
            return _failed(f"{error}; agent.argv in {run.job.path} names it")
        run.note("ended", code=ended.code, timed_out=ended.timed_out, output=ended.output)
        return _finished(ended, seconds, its_own=seconds == agent.timeout_seconds)


def _finished(ended: Ended, seconds: float, *, its_own: bool) -> Finished:
    if ended.timed_out:
        whose = "its timeout" if its_own else "the time that the function had left; a command cannot be resumed"
        return _failed(f"no result after {seconds:.0f} s ({whose})", ended.output)
    if ended.code != 0:
        return _failed(ended.verdict, ended.output)
    return Finished(outcome=Outcome.DONE, summary="The command ended with exit 0.", output=ended.output)


def _failed(reason: str, output: str = "") -> Finished:
    return Finished(outcome=Outcome.FAILED, reason=reason, output=output)
