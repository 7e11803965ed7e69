"""What the tests share: a condition to wait for, an emulator, and functions of their own behind real queues."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from goalrunner_local import queues
from goalrunner_local.cloud import Cloud
from goalrunner_local.emulator import running_emulator
from goalrunner_local.lane import FunctionSpec
from goalrunner_local.provision import Provisioned, provision
from goalrunner_shared.manifest import Function, Manifest, Needs
from goalrunner_shared.topology import fold

SERVICES = Path(__file__).parents[2] / "services"

Until = Callable[..., None]
IsAlive = Callable[[int], bool]
_numbers = count(1)


@pytest.fixture(scope="session")
def until() -> Until:
    """until(condition, within=10.0): return as soon as it holds."""

    def wait(condition: Callable[[], object], *, within: float = 10.0) -> None:
        end = time.monotonic() + within
        while not condition():
            assert time.monotonic() < end, "this did not happen in time"
            time.sleep(0.02)

    return wait


@pytest.fixture(scope="session")
def is_alive() -> IsAlive:
    """is_alive(pid): whether the process runs; one that is dead and has not been waited for does not."""

    def look(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    return look


@pytest.fixture
def package_path(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """package_path(source): the environment in which `tiny` is a module with this source."""

    def write(source: str) -> dict[str, str]:
        (tmp_path / "tiny.py").write_text(source)
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}

    return write


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An emulator for all tests; each makes queues of its own in it."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("AWS_ENDPOINT_URL", raising=False)
        with running_emulator(None, log=tmp_path_factory.mktemp("emulator") / "log") as endpoint:
            yield Cloud(endpoint)


@dataclass(frozen=True)
class Bench:
    """A function `run` of a service that no other test has, with its queue."""

    cloud: Cloud
    made: Provisioned
    service: str
    folder: Path
    environment: dict[str, str]

    @property
    def name(self) -> str:
        return f"goalrunner-{self.service}-run"

    @property
    def url(self) -> str:
        return self.made.queue_urls[self.name]

    @property
    def dead(self) -> str:
        return self.made.queue_urls[f"{self.name}-dead"]

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.cloud.client("sqs").send_message(QueueUrl=self.url, MessageBody=body)

    def depth(self) -> int:
        return queues.depth(self.cloud, self.url)

    def visible(self) -> int:
        wanted = ["ApproximateNumberOfMessages"]
        answer = self.cloud.client("sqs").get_queue_attributes(QueueUrl=self.url, AttributeNames=wanted)
        return int(answer["Attributes"][wanted[0]])

    def receive_and_leave(self) -> list[str]:
        """The bodies of the messages that are visible, which stay so."""
        answer = self.cloud.client("sqs").receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        return [message["Body"] for message in answer.get("Messages", [])]

    def spec(self, handler: str, *, timeout: int = 30, batch: int = 10) -> FunctionSpec:
        return FunctionSpec(
            name=self.name,
            handler=f"tiny.{handler}",
            queue_url=self.url,
            timeout=timeout,
            batch=batch,
            environment=self.environment,
            log=self.folder / "function.log",
        )


@pytest.fixture
def bench(cloud: Cloud, tmp_path: Path) -> Bench:
    """A bench with a visibility of six minutes: what comes back sooner was given back."""
    service = f"bench{next(_numbers)}"
    function = Function(handler="tiny.run", hears=("step.ready.v1",))
    manifest = Manifest(service=service, description="A bench", functions={"run": function}, needs=Needs(table=True))
    made = provision(cloud, fold([manifest]), services=SERVICES, scheduled=False)
    return Bench(cloud, made, service, tmp_path, environment={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)})
