"""The packages of this repository, and environments that hold one of them and what it declares."""

import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.prefix) / "bin" / "uv"
TOOLS = ROOT / "requirements" / "unit-tests.txt"
LOCKED = ROOT / "requirements" / "dev.txt"
# What leads a program into another environment than the one that is meant.
MISLEADING = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")


@dataclass(frozen=True)
class Package:
    """A workspace member that runs on AWS; `place` is its folder below the root."""

    place: str

    @property
    def folder(self) -> Path:
        return ROOT / self.place

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def module(self) -> str:
        return f"goalrunner_{self.name}"

    @property
    def declared(self) -> list[str]:
        """Its requirements as they are written, those of its extras included."""
        project = tomllib.loads((self.folder / "pyproject.toml").read_text("utf-8"))["project"]
        extras = project.get("optional-dependencies", {}).values()
        return [*project["dependencies"], *(each for extra in extras for each in extra)]

    @property
    def beneath(self) -> list["Package"]:
        """The packages of this repository that it stands on."""
        return [PACKAGES[name] for each in self.declared if (name := member(each))]

    @property
    def from_outside(self) -> list[str]:
        """Its requirements, and those of what it stands on, that are no packages of this repository."""
        return [each for package in (*self.beneath, self) for each in package.declared if not member(each)]


def distribution(requirement: str) -> str:
    """The distribution that a requirement names."""
    return re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def member(requirement: str) -> str | None:
    """The name of the package of this repository that a requirement names."""
    name = distribution(requirement).removeprefix("goalrunner-")
    return name if distribution(requirement) == f"goalrunner-{name}" else None


SERVICES = tuple(sorted(path.parent.name for path in ROOT.glob("services/*/pyproject.toml")))
PACKAGES = {name: Package(name) for name in ("events", "shared")} | {
    name: Package(f"services/{name}") for name in SERVICES
}


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    def install(self, *words: str | Path) -> None:
        """What `uv pip install` is told; what is locked is checked against its hashes."""
        run([UV, "pip", "install", "--quiet", "--python", self.python, *words])

    def link(self, packages: Iterable[Package]) -> None:
        """Put packages of this repository on the path, without anything that they need."""
        place = sysconfig.get_path("purelib", "venv", {"base": str(self.folder)})
        Path(place, "goalrunner.pth").write_text("".join(f"{package.folder / 'src'}\n" for package in packages))


def environment_of(package: Package, folder: Path, *, also: Sequence[str] = ()) -> Environment:
    """A new environment with what a package declares, the test tools (`also`: more of them), and nothing else."""
    environment = Environment(folder)
    run([UV, "venv", "--quiet", "--python", sys.executable, folder])
    locked = package.folder / "requirements.txt"
    if locked.exists():
        environment.install("--require-hashes", "-r", locked, "-r", TOOLS)
    else:
        environment.install("-r", TOOLS, "-c", LOCKED, *package.from_outside, *also)
    environment.link([*package.beneath, package])
    return environment


def run(words: Sequence[str | Path]) -> str:
    """What a program prints; where it fails, all that it has said is the assertion's text."""
    environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
