"""The goals of the world, the slot they are scanned for, and what they come to."""

from datetime import UTC, datetime, timedelta

from goalrunner_events import Outcome
from goalrunner_executor.exits import Finished
from goalrunner_executor.ports import Run

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)
NOW = SLOT + timedelta(minutes=3)
OUTCOMES = {"index": "done", "digest": "done", "trip": "done", "leaky": "failed"}


def goal_file(name: str, *lines: str, schedule: str = "{every: 24h}") -> bytes:
    """A goal file with these lines in its front matter."""
    front = "\n".join([f"id: {name}", f"title: Keep {name} in order", f"schedule: {schedule}", *lines])
    return f"---\n{front}\n---\n## Outcome\nOrder.\n\n## Acceptance criteria\n- [ ] AC1 It is there\n".encode()


FILES = {
    "README.md": b"mine\n",
    "goals/index.md": goal_file("index", "agent: {engine: command, argv: [write]}"),
    "goals/digest.md": goal_file("digest", "agent: {engine: command, argv: [copy]}", "depends_on: [index]"),
    "goals/trip.md": goal_file("trip", "agent: {engine: claude-api}", "ask: {timeout: 24h, on_timeout: default}"),
    "goals/leaky.md": goal_file("leaky", "agent: {engine: command, argv: [fail]}"),
    "goals/broken.md": goal_file("broken", "agnet: {engine: command}"),
    "goals/later.md": goal_file("later", "agent: {engine: command, argv: [write]}", schedule="manual"),
}


class Programs:
    """The engine `command` without processes: argv is `write`, `copy` (what the goal waited for) or `fail`."""

    def run(self, run: Run) -> Finished:
        (program,) = run.job.agent.argv
        if program == "fail":
            return Finished(outcome=Outcome.FAILED, reason="exit 1", output="no such pipe\n")
        source = run.place.repo / "artifacts/index/list.md"
        text = source.read_text() if program == "copy" else f"{run.goal}\n"
        (run.place.out / "list.md").write_text(text)
        return Finished(outcome=Outcome.DONE, summary=f"{program} has ended", output=text)
