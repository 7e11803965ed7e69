"""A worker between a real queue and a real process."""

import gc
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from goalrunner_local import queues
from goalrunner_local.lane import Runtime, RuntimeDied
from goalrunner_local.worker import Worker

pytestmark = pytest.mark.emulator

SOURCE = """
import json, os, signal, time
from pathlib import Path

SEEN = Path(__file__).with_name("seen")
DONE = {"batchItemFailures": []}

def note(event):
    for record in event["Records"]:
        times = int(record["attributes"]["ApproximateReceiveCount"])
        with SEEN.open("a") as seen:
            seen.write(json.dumps({"body": record["body"], "pid": os.getpid(), "times": times}) + "\\n")
    return times

def notes(event, context):
    note(event)
    return DONE

def leaves_bad(event, context):
    note(event)
    bad = [record for record in event["Records"] if record["body"].startswith("bad")]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in bad]}

def holds_first(event, context):
    if note(event) == 1:
        time.sleep(600)
    return DONE

def holds_always(event, context):
    note(event)
    time.sleep(600)

def raises_first(event, context):
    if note(event) == 1:
        raise RuntimeError("no such shelf")
    return DONE

def silent(event, context):
    note(event)

def nonsense(event, context):
    note(event)
    return ["done"]

def of_another(event, context):
    note(event)
    return {"batchItemFailures": [{"itemIdentifier": "of-another-batch"}]}

def half_an_answer(event, context):
    if note(event) > 1:
        return DONE
    for number in map(int, os.listdir("/proc/self/fd")):
        # Of the pipes only the one for the answers can be written to.
        try:
            if number > 2 and os.readlink(f"/proc/self/fd/{number}").startswith("pipe:"):
                os.write(number, b'{"response": {"batchItemF')
        except OSError:
            continue
    os.kill(os.getpid(), signal.SIGKILL)

def dies(event, context):
    os.kill(os.getpid(), signal.SIGKILL)

def pid(event, context):
    return os.getpid()
"""

Until = Callable[..., None]


class Bench(Protocol):
    """What `bench` of the conftest is to these tests."""

    url: str
    dead: str
    cloud: Any
    folder: Path

    def send(self, *bodies: str) -> None: ...
    def depth(self) -> int: ...
    def receive_and_leave(self) -> list[str]: ...
    def spec(self, handler: str, *, timeout: int = 30, batch: int = 10) -> Any: ...


@pytest.fixture(autouse=True)
def _tiny(tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text(SOURCE)


def seen(bench: Bench) -> list[dict[str, Any]]:
    path = bench.folder / "seen"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@contextmanager
def lane(bench: Bench, handler: str, **limits: int) -> Iterator[Worker]:
    """A worker whose polls are made by the test."""
    worker = Worker(bench.cloud, bench.spec(handler, **limits), longest_backoff=0)
    try:
        yield worker
    finally:
        worker.finish()


@contextmanager
def working(bench: Bench, handler: str, *, lanes: int = 1, **limits: int) -> Iterator[list[Worker]]:
    with ExitStack() as stack:
        workers = [Worker(bench.cloud, bench.spec(handler, **limits), longest_backoff=0) for _ in range(lanes)]
        for worker in workers:
            stack.callback(worker.finish, 0.1)
            worker.start()
        for worker in workers:
            stack.callback(worker.stop)
        yield workers


def test_what_was_handled_is_deleted(bench: Bench) -> None:
    bench.send("one", "two")
    with lane(bench, "notes") as worker:
        assert worker.poll_once() == 2
    assert bench.depth() == 0
    assert Counter(each["body"] for each in seen(bench)) == {"one": 1, "two": 1}


def test_what_failed_is_left_and_stays_hidden(bench: Bench) -> None:
    bench.send("good", "bad", "also good")
    with lane(bench, "leaves_bad") as worker:
        assert worker.poll_once() == 3
    assert bench.depth() == 1
    assert bench.receive_and_leave() == []


def test_a_killed_runtime_gives_its_message_back_at_once_and_another_handles_it(bench: Bench, until: Until) -> None:
    bench.send("parcel")
    with working(bench, "holds_first") as [worker]:
        until(lambda: len(seen(bench)) == 1)
        assert worker.runtime.pid is not None
        os.kill(worker.runtime.pid, signal.SIGKILL)
        until(lambda: bench.depth() == 0)
    first, second = seen(bench)
    assert (first["times"], second["times"]) == (1, 2)
    assert first["pid"] != second["pid"]


def test_a_handler_that_hangs_is_ended_at_its_timeout(bench: Bench) -> None:
    bench.send("parcel")
    with lane(bench, "holds_first", timeout=1) as worker:
        assert worker.poll_once() == 1
        assert bench.depth() == 1
        assert worker.poll_once() == 1
    assert bench.depth() == 0
    assert [each["times"] for each in seen(bench)] == [1, 2]


def test_a_handler_that_raises_gives_its_messages_back(bench: Bench) -> None:
    bench.send("parcel")
    with lane(bench, "raises_first") as worker:
        worker.poll_once()
        worker.poll_once()
    assert bench.depth() == 0
    first, second = seen(bench)
    assert first["pid"] == second["pid"]
    assert "RuntimeError: no such shelf" in (bench.folder / "function.log").read_text()


def test_stopping_gives_back_what_was_being_handled(
    bench: Bench, until: Until, is_alive: Callable[[int], bool]
) -> None:
    bench.send("parcel")
    with working(bench, "holds_always"):
        until(lambda: len(seen(bench)) == 1)
    assert bench.receive_and_leave() == ["parcel"]
    assert not is_alive(seen(bench)[0]["pid"])


def test_a_worker_that_is_stopping_hands_nothing_more_over(bench: Bench) -> None:
    bench.send("parcel")
    with lane(bench, "notes") as worker:
        worker.stop()
        assert worker.poll_once() == 1
    assert seen(bench) == []
    assert bench.receive_and_leave() == ["parcel"]


def test_a_worker_polls_until_it_is_stopped_and_leaves_no_thread(bench: Bench, until: Until) -> None:
    before = threading.active_count()
    with working(bench, "notes"):
        for n in range(3):
            bench.send(f"parcel {n}")
            until(lambda: bench.depth() == 0)
    assert len(seen(bench)) == 3
    assert threading.active_count() == before


def test_saying_nothing_is_success_as_on_lambda(bench: Bench) -> None:
    bench.send("parcel")
    with lane(bench, "silent") as worker:
        worker.poll_once()
    assert bench.depth() == 0


@pytest.mark.parametrize("handler", ["nonsense", "of_another"])
def test_a_malformed_response_deletes_nothing_and_ends_in_the_dead_letter_queue(bench: Bench, handler: str) -> None:
    bench.send("parcel", "letter")
    with lane(bench, handler) as worker:
        for _ in range(5):
            assert worker.poll_once() == 2
        assert worker.poll_once(wait=0) == 0
    assert queues.depth(bench.cloud, bench.dead) == 2
    assert Counter(each["body"] for each in seen(bench)) == {"parcel": 5, "letter": 5}


def test_half_an_answer_is_none(bench: Bench) -> None:
    bench.send("parcel")
    with lane(bench, "half_an_answer") as worker:
        worker.poll_once()
        worker.poll_once()
    assert bench.depth() == 0
    assert [each["times"] for each in seen(bench)] == [1, 2]


def test_two_lanes_handle_every_message_once(bench: Bench, until: Until) -> None:
    bodies = [f"parcel {n}" for n in range(120)]
    bench.send(*bodies)
    with working(bench, "notes", lanes=2, batch=5):
        until(lambda: bench.depth() == 0, within=30)
    assert Counter(each["body"] for each in seen(bench)) == Counter(bodies)
    assert len({each["pid"] for each in seen(bench)}) == 2


def test_a_runtime_that_died_is_replaced_and_leaves_no_file_open(bench: Bench, until: Until) -> None:
    runtime = Runtime(bench.spec("pid"))
    pids = [runtime.invoke({})]
    before = open_pipes()
    for _ in range(3):
        os.kill(pids[-1], signal.SIGKILL)
        until(lambda: runtime.pid is None)
        pids.append(runtime.invoke({}))
    assert open_pipes() == before
    runtime.stop()
    assert runtime.pid is None
    assert len(set(pids)) == 4


def open_pipes() -> int:
    # What earlier tests have left must not be collected in between.
    gc.collect()
    links = (str(fd.readlink()) for fd in Path("/proc/self/fd").iterdir() if fd.is_symlink())
    return sum(link.startswith("pipe:") for link in links)


def test_a_runtime_that_dies_at_work_says_so(bench: Bench) -> None:
    runtime = Runtime(bench.spec("dies"))
    with pytest.raises(RuntimeDied, match="died while it was handling a message"):
        runtime.invoke({})
