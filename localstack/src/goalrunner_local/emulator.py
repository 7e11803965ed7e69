"""The embedded AWS emulator: ministack as a child process, on loopback, with a scrubbed environment."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

from goalrunner_shared.errors import InputError, TransientError

REGION = "us-east-1"
READY_WITHIN = 30.0
STOPS_WITHIN = 20.0
KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


def emulator_python() -> Path:
    """The interpreter of the emulator's own environment, beside the one that runs this; InputError."""
    python = Path(os.environ.get("GOALRUNNER_EMULATOR_ENV", f"{sys.prefix}-emulator")) / "bin" / "python"
    if not python.exists():
        raise InputError(f"the AWS emulator is not installed at {python.parent.parent}: type make setup")
    return python


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _usual_port(state: Path | None) -> int:
    # Queues are known by their URL, port included: what lies in them is found again only on the same port.
    if state is None:
        return free_port()
    kept = state / "port"
    if kept.exists() and _is_free(port := int(kept.read_text())):
        return port
    shutil.rmtree(state / "services", ignore_errors=True)
    state.mkdir(parents=True, exist_ok=True)
    port = free_port()
    kept.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@contextmanager
def running_emulator(state: Path | None, *, log: Path | None = None, port: int | None = None) -> Iterator[str]:
    """Run the emulator and give its endpoint; with `state` it remembers there what it held at a clean stop."""
    port = port or _usual_port(state)
    endpoint = f"http://127.0.0.1:{port}"
    process = _start(port=port, state=state, log=log)
    try:
        _wait_until_ready(process, endpoint, log)
        yield endpoint
    finally:
        if not _stopped_cleanly(process) and state is not None:
            # What it wrote at an earlier stop is older than the repository by now.
            shutil.rmtree(state / "services", ignore_errors=True)


def _start(*, port: int, state: Path | None, log: Path | None) -> subprocess.Popen[bytes]:
    command = [str(emulator_python()), "-I", str(Path(__file__).with_name("lifeline.py"))]
    with (log or Path(os.devnull)).open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            env=_environment(port=port, state=state),
            start_new_session=True,
        )


def _environment(*, port: int, state: Path | None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    found = kept | {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_REGION": REGION,
        "LOG_LEVEL": "WARNING",
        # A Lambda of the emulator is a plain child of it: it must find nothing of ours to inherit.
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
    }
    if state is None:
        return found
    state.mkdir(parents=True, exist_ok=True)
    return found | {
        "PERSIST_STATE": "1",
        "STATE_DIR": str(state / "services"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(state / "s3"),
    }


def _wait_until_ready(process: subprocess.Popen[bytes], endpoint: str, log: Path | None) -> None:
    # The user's proxy, where there is one, is not for what runs on this machine.
    straight = build_opener(ProxyHandler({}))
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with straight.open(f"{endpoint}/_ministack/health", timeout=2):
                return
        except (URLError, OSError):
            time.sleep(0.05)
    raise TransientError(f"the AWS emulator did not start; its log is {log or 'not kept'}")


def _stopped_cleanly(process: subprocess.Popen[bytes]) -> bool:
    alive = process.poll() is None
    if alive:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            alive = False
            process.kill()
            process.wait()
    if process.stdin:
        process.stdin.close()
    # It may have been killed a moment before and not yet have been seen to be dead.
    return alive and process.returncode != -signal.SIGKILL
