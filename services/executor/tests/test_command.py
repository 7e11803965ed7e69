"""The engine `command`, for real."""

from collections.abc import Callable

import pytest

from goalrunner_events import Outcome
from goalrunner_executor.bench import ATTEMPT, Bench

Make = Callable[..., Bench]


def run(bench: Make, command: str, **job: object) -> Bench:
    world = bench()
    world.deliver(world.ready(engine="command", argv=("sh", "-c", command), **job))
    return world


def test_exit_0_is_done(bench: Make) -> None:
    world = run(bench, 'cat notes/books.md > "$GOALRUNNER_OUT/books.md"; echo fine')
    assert (world.result.outcome, world.result.output, world.result.cost_usd) == (Outcome.DONE, "fine\n", 0)
    assert world.artifacts() == {"books.md": b"- The Peregrine\n"}
    assert world.memory.objects[f"jobs/{ATTEMPT}/main/output.txt"] == b"fine\n"


@pytest.mark.parametrize(
    ("command", "reason"),
    [("echo oops >&2; exit 3", "exit 3"), ("echo oops; kill -KILL $$", "killed by SIGKILL")],
)
def test_anything_else_has_failed_and_its_output_is_kept(bench: Make, command: str, reason: str) -> None:
    world = run(bench, command)
    assert (world.result.outcome, world.result.reason, world.result.output) == (Outcome.FAILED, reason, "oops\n")


def test_its_timeout_is_named(bench: Make) -> None:
    world = run(bench, "echo begun; sleep 600", timeout=1)
    assert world.result.reason == "no result after 1 s (its timeout)"
    assert world.result.output == "begun\n"


def test_the_functions_end_is_named_where_that_comes_first(bench: Make) -> None:
    world = bench()
    world.remaining = lambda: 91.0
    world.deliver(world.ready(engine="command", argv=("sleep", "600"), timeout=700))
    assert "cannot be resumed" in (world.result.reason or "")


def test_a_program_that_is_not_there_is_named(bench: Make) -> None:
    world = bench()
    world.deliver(world.ready(engine="command", argv=("no-such-program", "x")))
    assert world.result.reason == (
        "the program 'no-such-program' was not found; agent.argv in goals/shortlist.md names it"
    )


def test_what_is_left_out_of_the_artefacts_is_named(bench: Make) -> None:
    world = run(bench, 'cd "$GOALRUNNER_OUT" && ln -s /etc/passwd p && mkfifo f && echo a > a && ln a b && echo c > c')
    assert world.artifacts() == {"c": b"c\n"}
    for name in ("a: has more than one hard link", "p: not a regular file", "f: not a regular file"):
        assert name in world.result.output


def test_out_may_not_be_a_link_to_somewhere_else(bench: Make) -> None:
    world = run(bench, 'rmdir "$GOALRUNNER_OUT" && ln -s /etc "$GOALRUNNER_OUT"')
    assert world.result.outcome is Outcome.DONE
    assert world.artifacts() == {}


def test_nothing_stays_in_the_scratch_folder(bench: Make) -> None:
    world = run(bench, 'mkdir -p a/b "$HOME/c" && touch a/b/x && chmod 000 a/b && chmod 500 "$HOME"')
    assert world.result.outcome is Outcome.DONE
    assert list((world.folder / "work").iterdir()) == []
