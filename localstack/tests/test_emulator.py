"""The embedded emulator as a child process."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from goalrunner_local.cloud import Cloud
from goalrunner_local.emulator import emulator_python, free_port, running_emulator
from goalrunner_shared.errors import InputError, TransientError

emulator = pytest.mark.emulator

PARENT = """
import sys, time
from pathlib import Path
from goalrunner_local.cloud import Cloud
from goalrunner_local.emulator import running_emulator

with running_emulator(Path(sys.argv[1]), log=Path(sys.argv[2])) as endpoint:
    Cloud(endpoint).client("s3").put_object(Bucket="kept", Key="key", Body=b"new")
    print(endpoint, flush=True)
    time.sleep(600)
"""


def port_of(endpoint: str) -> int:
    return int(endpoint.rpartition(":")[2])


def listening(port: int) -> list[tuple[str, str]]:
    """Address (in hex) and socket number of everything that listens on a port."""
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                found.append((fields[1].rpartition(":")[0], fields[9]))
    return found


def process_listening(port: int) -> int:
    """The process that holds the one socket that listens on a port."""
    [(_, number)] = listening(port)
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if any(str(fd.readlink()) == f"socket:[{number}]" for fd in (folder / "fd").iterdir()):
                    return int(folder.name)
    raise LookupError(port)


def environment_of(pid: int) -> dict[str, str]:
    text = Path(f"/proc/{pid}/environ").read_text()
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


@emulator
def test_it_listens_on_loopback_only(cloud: Cloud) -> None:
    addresses = {address for address, _ in listening(port_of(cloud.endpoint))}
    assert addresses == {socket.inet_aton("127.0.0.1")[::-1].hex().upper()}


@emulator
def test_it_inherits_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test-not-a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test-of-the-user")
    monkeypatch.setenv("GOALRUNNER_REPO", "somewhere")
    monkeypatch.setenv("PYTHONPATH", "somewhere")
    monkeypatch.setenv("LD_LIBRARY_PATH", "somewhere")
    with running_emulator(None) as endpoint:
        found = environment_of(process_listening(port_of(endpoint)))
    ours = {"PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "BIND_HOST", "GATEWAY_PORT", "MINISTACK_REGION"}
    ours |= {"LOG_LEVEL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"}
    # What a C locale makes Python set in its own environment.
    assert found.keys() - ours <= {"LC_CTYPE"}
    assert (found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"]) == ("test", "test")


@emulator
def test_the_users_proxy_is_not_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with running_emulator(None) as endpoint:
        assert Cloud(endpoint).client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def fill(cloud: Cloud) -> None:
    cloud.client("s3").create_bucket(Bucket="kept")
    cloud.client("s3").put_object(Bucket="kept", Key="key", Body=b"old")
    url = cloud.client("sqs").create_queue(QueueName="kept")["QueueUrl"]
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="a message")


def queues_in(cloud: Cloud) -> list[str]:
    return [url.rpartition("/")[2] for url in cloud.client("sqs").list_queues().get("QueueUrls", [])]


def object_in(cloud: Cloud) -> bytes:
    body: bytes = cloud.client("s3").get_object(Bucket="kept", Key="key")["Body"].read()
    return body


@emulator
def test_a_clean_stop_keeps_what_it_held(tmp_path: Path) -> None:
    with running_emulator(tmp_path) as endpoint:
        fill(Cloud(endpoint))
    with running_emulator(tmp_path) as endpoint:
        cloud = Cloud(endpoint)
        assert object_in(cloud) == b"old"
        [url] = cloud.client("sqs").list_queues()["QueueUrls"]
        assert cloud.client("sqs").receive_message(QueueUrl=url)["Messages"][0]["Body"] == "a message"


@emulator
def test_without_a_folder_it_remembers_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with running_emulator(None) as endpoint:
        fill(Cloud(endpoint))
    with running_emulator(None) as endpoint:
        assert queues_in(Cloud(endpoint)) == []
    assert list(tmp_path.iterdir()) == []


@emulator
def test_one_that_died_forgets_all_but_its_objects(
    tmp_path: Path, until: Callable[..., None], is_alive: Callable[[int], bool]
) -> None:
    with running_emulator(tmp_path) as endpoint:
        fill(Cloud(endpoint))
    with running_emulator(tmp_path) as endpoint:
        pid = process_listening(port_of(endpoint))
        os.kill(pid, signal.SIGKILL)
        until(lambda: not is_alive(pid))
    with running_emulator(tmp_path) as endpoint:
        assert queues_in(Cloud(endpoint)) == []
        assert object_in(Cloud(endpoint)) == b"old"


@emulator
def test_it_goes_when_its_parent_is_killed_and_keeps_the_objects(
    tmp_path: Path, until: Callable[..., None], is_alive: Callable[[int], bool]
) -> None:
    state = tmp_path / "state"
    with running_emulator(state) as endpoint:
        fill(Cloud(endpoint))
    command = [sys.executable, "-c", PARENT, str(state), str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = port_of(parent.stdout.readline().strip())
        pid = process_listening(port)
        os.kill(parent.pid, signal.SIGKILL)
    until(lambda: not is_alive(pid))
    until(lambda: not listening(port))
    with running_emulator(state) as endpoint:
        assert object_in(Cloud(endpoint)) == b"new"


@emulator
def test_one_that_cannot_start_names_its_log(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        start = running_emulator(None, log=tmp_path / "log", port=taken.getsockname()[1])
        with pytest.raises(TransientError, match=f"did not start; its log is {tmp_path / 'log'}"), start:
            pass


def test_a_missing_environment_is_one_sentence_that_says_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOALRUNNER_EMULATOR_ENV", str(tmp_path / "nowhere"))
    with pytest.raises(InputError) as caught, running_emulator(None):
        pass
    assert str(caught.value) == f"the AWS emulator is not installed at {tmp_path / 'nowhere'}: type make setup"


def test_the_emulator_has_an_environment_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOALRUNNER_EMULATOR_ENV", raising=False)
    assert emulator_python() == Path(f"{sys.prefix}-emulator/bin/python")


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", free_port()))
