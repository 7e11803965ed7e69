"""The zip of each service, as Lambda takes it: its own dependencies, its own code, nothing else."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from goalrunner_shared.errors import InputError, TransientError

ROOT = Path(__file__).parents[3]
# One fixed date for every member (the earliest that zip can say): the same sources give the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)
# What no function runs: byte code carries time stamps, and the SDK's examples are a fifth of its size; uv's own mark.
LEFT_OUT = ("__pycache__", "bin", "examples", ".lock")


def build_zip(service: str, *, folder: Path) -> Path:
    """The zip of a service below `folder`; built only when its sources or its lock have changed. InputError."""
    target = folder / f"{service}-{_fingerprint(service)}.zip"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            tree = Path(scratch) / "tree"
            _install_dependencies(service, tree)
            for package in _packages(service):
                shutil.copytree(package, tree / package.name, dirs_exist_ok=True)
            _write_zip(tree, Path(scratch) / "zip")
            (Path(scratch) / "zip").replace(target)
    return target


def _packages(service: str) -> list[Path]:
    return [
        ROOT / "events/src/goalrunner_events",
        ROOT / "shared/src/goalrunner_shared",
        ROOT / f"services/{service}/src/goalrunner_{service}",
    ]


def _sources(service: str) -> Iterator[Path]:
    yield ROOT / f"services/{service}/requirements.txt"
    for package in _packages(service):
        yield from sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _fingerprint(service: str) -> str:
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for path in _sources(service):
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _install_dependencies(service: str, tree: Path) -> None:
    uv = Path(sys.prefix) / "bin" / "uv"
    if not uv.exists():
        raise InputError(f"{uv} is missing, and the zip builds need it: type make setup")
    lock = str(ROOT / f"services/{service}/requirements.txt")
    command = [str(uv), "pip", "install", "--quiet", "--target", str(tree), "--require-hashes", "-r", lock]
    environment = os.environ | {"UV_NO_CONFIG": "1"}
    done = subprocess.run(
        [*command, "--python", sys.executable], check=False, env=environment, capture_output=True, text=True
    )
    if done.returncode:
        raise TransientError(f"the dependencies of {service} could not be installed: {done.stderr.strip()}")


def _write_zip(tree: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for path in sorted(tree.rglob("*")):
            name = path.relative_to(tree)
            if path.is_file() and not any(part in LEFT_OUT for part in name.parts):
                member = zipfile.ZipInfo(name.as_posix(), EPOCH)
                member.external_attr = (path.stat().st_mode & 0o777) << 16
                archive.writestr(member, path.read_bytes(), zipfile.ZIP_DEFLATED)
