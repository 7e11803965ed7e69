"""The fake engine, and the acts that a test's agent is scripted with."""

from collections.abc import Sequence
from dataclasses import dataclass

from goalrunner_events import Outcome
from goalrunner_executor.exits import DeadlineNear, Finished, LimitReached, NeedsClarification
from goalrunner_executor.ports import ModelBusy, Run
from goalrunner_executor.spend import Tokens
from goalrunner_executor.tools.process import Surroundings, run_program


@dataclass(frozen=True)
class Write:
    """Leave a file in `out`."""

    path: str
    text: str


@dataclass(frozen=True)
class Shell:
    """Run a command line, which may fail."""

    command: str
    timeout: int = 20


@dataclass(frozen=True)
class Ask:
    """Ask the human."""

    question: str
    default: str | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Note:
    """Write the last answer into a file in `out`."""

    path: str


@dataclass(frozen=True)
class Busy:
    """The model is overloaded this many times."""

    times: int


@dataclass(frozen=True)
class Finish:
    """End well."""

    summary: str = "all done"


Act = Write | Shell | Ask | Note | Busy | Finish
PRICE = 0.01
TOKENS = Tokens(input=100, output=50)


class ScriptedEngine:
    """Plays its acts in order, one cent each; the state that it saves is how many it has played."""

    def __init__(self, acts: Sequence[Act]) -> None:
        self._acts = tuple(acts)
        self._busy = {act: act.times for act in self._acts if isinstance(act, Busy)}
        self.played: list[Act] = []

    def run(self, run: Run) -> Finished:
        spend = run.spend
        for position in range(int(run.checkpoint or b"0"), len(self._acts)):
            if run.remaining() <= 0:
                raise DeadlineNear
            if run.job.budget_usd is not None and spend.cost_usd + PRICE > run.job.budget_usd:
                raise LimitReached(f"stopped by budget: ${run.job.budget_usd:.2f} per run, ${spend.cost_usd:.2f} spent")
            finished = self._play(self._acts[position], position, run)
            if finished is not None:
                return finished
            spend = spend.reserve(PRICE, model="scripted").settle(PRICE, TOKENS)
            run.save(str(position + 1).encode(), spend)
        return Finished(outcome=Outcome.PROGRESSED, summary="the script has ended")

    def _play(self, act: Act, position: int, run: Run) -> Finished | None:
        asked = sum(isinstance(each, Ask) for each in self._acts[:position])
        match act:
            case Ask() if len(run.answers) == asked:
                raise NeedsClarification(act.question, default=act.default, options=act.options)
            case Busy() if self._busy[act] > 0:
                self._busy[act] -= 1
                raise ModelBusy("the model is overloaded: scripted")
            case Write():
                (run.place.out / act.path).write_text(act.text)
            case Note():
                (run.place.out / act.path).write_text(run.answers[-1].answer or "")
            case Shell():
                environment = Surroundings().environment(run)
                run_program(["sh", "-c", act.command], cwd=run.place.repo, environment=environment, timeout=act.timeout)
            case Finish():
                return Finished(outcome=Outcome.DONE, summary=act.summary)
            case _:
                pass
        self.played.append(act)
        return None
