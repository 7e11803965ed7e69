import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goalrunner_shared.manifest import read_manifests
from goalrunner_shared.topology import fold

pytestmark = pytest.mark.terraform

ROOT = Path(__file__).resolve().parents[2]
Terraform = Callable[..., str]


@pytest.fixture
def terraform(tmp_path: Path) -> Terraform:
    """Terraform in an empty folder, with no settings of the user's and nothing to ask of a network."""
    settings = tmp_path / "settings.tfrc"
    settings.touch()
    work = tmp_path / "work"
    work.mkdir()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    environment = {**kept, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": str(settings), "TF_IN_AUTOMATION": "1"}

    def run(*arguments: str) -> str:
        command = ["terraform", *arguments]
        ran = subprocess.run(
            command, cwd=work, env=environment, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8"
        )
        assert ran.returncode == 0, f"{' '.join(command)}\n{ran.stdout}{ran.stderr}"
        return ran.stdout

    return run


def folded(terraform: Terraform, work: Path, services: Path) -> Any:
    """What the module makes of the manifests below a folder."""
    root = {
        "module": {"topology": {"source": str(ROOT / "infra/modules/topology"), "services": str(services)}},
        "output": {"topology": {"value": "${module.topology.topology}"}},
    }
    (work / "main.tf.json").write_text(json.dumps(root))
    terraform("init", "-input=false", "-no-color")
    terraform("apply", "-auto-approve", "-input=false", "-no-color")
    return json.loads(terraform("output", "-json"))["topology"]["value"]


ODD = {
    "smallest": """\
service: smallest
description: Defaults left out everywhere
functions: {run: {handler: smallest.run}}
""",
    "silent": """\
service: silent
description: Hears and says nothing, and says so
functions: {run: {handler: silent.run, hears: []}}
says: []
needs: {}
state_machines: {}
schedules: {}
""",
    "nobody": """\
service: nobody
description: Has no function at all
functions: {}
needs: {table: true}
""",
    "listener": """\
service: listener
description: Hears all, beside one that hears a few
functions:
  all: {handler: listener.all, hears: all}
  few: {handler: listener.few, hears: [goal.due.v1, step.ready.v1], timeout: 7, memory: 128, concurrency: 1000}
  one: {handler: listener.one, hears: [goal.due.v1], batch: 1}
needs: {table: false, bucket: {}}
""",
    "quoted": """\
service: "quoted"
description: 'Numbers and truths as texts: what YAML takes, both must take alike'
functions:
  "run": {handler: "quoted.run", timeout: "900", batch: "1", memory: 0x100}
needs: {table: "true"}
schedules: {"often": {to: run, says: scan.requested.v1, minutes: "5"}}
""",
    "all-of-it": """\
service: all-of-it
description: |
  Uses everything,
  in several lines.
functions:
  carry: {handler: x.carry, batch: 2, timeout: 1}
  deliver: {handler: x.deliver}
needs: {table: true, repository: write, bucket: {read: [a/], write: [b/]}, secrets: [TOKEN]}
says: [goal.due.v1]
state_machines:
  wait: {definition: wait.asl.json, sends_to: deliver}
  wait-more: {definition: more.asl.json, sends_to: carry}
schedules:
  slots: {to: carry, says: scan.requested.v1, minutes: 120}
  days: {to: deliver, says: scan.requested.v1, minutes: 1440}
""",
}


def test_terraform_and_python_make_the_same_of_the_real_manifests(terraform: Terraform, tmp_path: Path) -> None:
    services = ROOT / "services"
    assert folded(terraform, tmp_path / "work", services) == fold(read_manifests(services))


def test_terraform_and_python_make_the_same_of_odd_manifests(terraform: Terraform, tmp_path: Path) -> None:
    services = tmp_path / "services"
    for name, text in ODD.items():
        (services / name).mkdir(parents=True)
        (services / name / "service.yaml").write_text(text, "utf-8")
    (services / "no-manifest").mkdir()
    assert len(read_manifests(services)) == len(ODD)
    assert folded(terraform, tmp_path / "work", services) == fold(read_manifests(services))


@pytest.mark.parametrize("name", ODD)
def test_terraform_and_python_make_the_same_of_each_alone(terraform: Terraform, tmp_path: Path, name: str) -> None:
    services = tmp_path / "services"
    (services / name).mkdir(parents=True)
    (services / name / "service.yaml").write_text(ODD[name], "utf-8")
    assert folded(terraform, tmp_path / "work", services) == fold(read_manifests(services))


def test_terraform_and_python_make_the_same_of_nothing(terraform: Terraform, tmp_path: Path) -> None:
    (tmp_path / "services").mkdir()
    assert folded(terraform, tmp_path / "work", tmp_path / "services") == fold([])


def test_the_terraform_files_are_formatted(terraform: Terraform) -> None:
    assert terraform("fmt", "-check", "-recursive", "-diff", str(ROOT / "infra")) == ""
