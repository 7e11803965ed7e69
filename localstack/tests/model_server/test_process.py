"""The server as `goalrunner` starts it: a child process."""

import signal
import subprocess
import sys
from pathlib import Path

import anthropic
import pytest

COMMAND = [sys.executable, "-m", "goalrunner_local.model_server", "--port", "0", "--script"]


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.yaml"
    path.write_text("conversations: [{turns: [{content: Hello.}]}]", encoding="utf-8")
    return path


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_where_it_listens_serves_and_ends_cleanly(script: Path, end: signal.Signals) -> None:
    with subprocess.Popen([*COMMAND, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stderr
        try:
            greeting = child.stdout.readline()
            assert greeting.startswith("listening on http://127.0.0.1:")
            url = greeting.removeprefix("listening on ").strip()
            with anthropic.Anthropic(base_url=url, api_key="sk-ant-test-not-a-key") as client:
                reply = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}])
            assert reply.stop_reason == "end_turn"
            child.send_signal(end)
            assert child.wait(10) == 0
            assert child.stdout.read() + child.stderr.read() == ""
        finally:
            child.kill()


def test_the_process_ends_with_the_one_that_holds_its_lifeline(script: Path) -> None:
    with subprocess.Popen(
        [*COMMAND, str(script), "--lifeline"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            assert child.stdout
            assert child.stdin
            assert child.stdout.readline().startswith("listening on ")
            assert child.poll() is None
            child.stdin.close()
            assert child.wait(10) == 0
        finally:
            child.kill()


def test_a_broken_script_ends_the_process_with_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run([*COMMAND, str(tmp_path / "none.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("model server: ")
    assert done.stderr.count("\n") == 1


def test_importing_the_server_does_not_import_the_sdk() -> None:
    code = (
        "import sys, goalrunner_local.model_server, goalrunner_local.model_server.server;"
        "sys.exit('anthropic' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
