"""Programs of the agent's: what they see, how they end, what they leave."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from goalrunner_executor.bench import Bench
from goalrunner_executor.tools.process import OUTPUT_BYTES, Capture, Ended, run_program

PATH = {"PATH": os.defpath}


def sh(command: str, cwd: Path, timeout: float = 20) -> Ended:
    return run_program(["sh", "-c", command], cwd=cwd, environment=PATH, timeout=timeout)


def is_gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_output_and_errors_come_in_order(tmp_path: Path) -> None:
    assert sh("echo 1; echo 2 >&2; echo 3", tmp_path).output == "1\n2\n3\n"


def test_it_has_no_input(tmp_path: Path) -> None:
    assert sh("cat; echo end", tmp_path).output == "end\n"


def test_the_environment_holds_what_is_promised_and_nothing_else(
    bench: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "ANTHROPIC_API_KEY", "GOALRUNNER_BUCKET"):
        monkeypatch.setenv(name, "sk-ant-test-secret")
    world = bench()
    world.deliver(world.ready(engine="command", argv=("env",)))
    names = {line.partition("=")[0] for line in world.result.output.splitlines()}
    promised = {"PATH", "LANG", "HOME", "TMPDIR", "GOALRUNNER_OUT", "GOALRUNNER_GOAL", "GOALRUNNER_ATTEMPT"}
    assert names == promised


def test_a_flood_of_output_keeps_head_and_tail(tmp_path: Path) -> None:
    ended = sh("echo head; yes 0123456789 | head -n 500000; echo tail", tmp_path)
    assert ended.output.startswith("head\n")
    assert ended.output.endswith("tail\n")
    assert "bytes left out" in ended.output
    assert len(ended.output) < OUTPUT_BYTES + 100


def test_a_capture_never_holds_more_than_its_limit() -> None:
    capture = Capture(limit=10)
    for chunk in (b"abc", b"defgh", b"ijklmnop", b"q"):
        capture.add(chunk)
    assert capture.text() == "abcde\n[… 7 bytes left out …]\nmnopq"


def test_a_child_that_outlives_its_parent_is_killed(tmp_path: Path) -> None:
    began = time.monotonic()
    ended = sh("sleep 600 & echo $!", tmp_path)
    assert ended.code == 0
    assert is_gone(int(ended.output))
    assert time.monotonic() - began < 10


def test_a_child_without_output_is_killed_as_well(tmp_path: Path) -> None:
    ended = sh("sleep 600 >/dev/null 2>&1 & echo $!", tmp_path)
    assert is_gone(int(ended.output))


def test_who_does_not_heed_the_term_signal_is_killed(tmp_path: Path) -> None:
    ended = sh("trap '' TERM; echo $$; while :; do sleep 1; done", tmp_path, timeout=0.5)
    assert ended.timed_out
    assert ended.code == -9
    assert is_gone(int(ended.output.split()[0]))


def test_one_that_closes_its_output_is_still_waited_for(tmp_path: Path) -> None:
    assert sh("exec >&- 2>&-; sleep 0.2; exit 4", tmp_path).code == 4
    assert sh("exec >&- 2>&-; sleep 600", tmp_path, timeout=0.3).timed_out


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    assert "\ufffd" in sh(r"printf '\377\000'", tmp_path).output


def wait_for(path: Path, within: float = 20) -> None:
    end = time.monotonic() + within
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


PARENT = """
import sys
from pathlib import Path
from goalrunner_executor.tools.process import run_program
script = "echo $$ > pid.new; mv pid.new pid; sleep 600"
run_program(["sh", "-c", script], cwd=Path(sys.argv[1]), environment={"PATH": sys.argv[2]}, timeout=600)
"""


def test_a_program_does_not_outlive_the_process_that_started_it(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), os.environ["PATH"]]) as parent:
        wait_for(tmp_path / "pid")
        program = int((tmp_path / "pid").read_text())
        parent.kill()
    assert is_gone(program)
