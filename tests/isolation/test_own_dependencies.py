"""Each package's tests pass where nothing is installed but what it declares."""

from pathlib import Path

import pytest

from tests.isolation.packages import PACKAGES, Environment, Package, environment_of, run

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

# The language and the plumbing are held to the schemas that they generate.
ALSO = {"events": ("jsonschema",), "shared": ("jsonschema",)}
NOBODYS = ("goalrunner_local", "ministack", "moto", "rich", "typer")


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_passes_its_tests_with_its_own_dependencies_alone(name: str, tmp_path: Path) -> None:
    package = PACKAGES[name]
    environment = environment_of(package, tmp_path / "venv", also=ALSO.get(name, ()))
    assert strangers(environment, package) == ""
    where: list[str | Path] = ["--basetemp", tmp_path / "temp", package.folder / "tests"]
    said = run([environment.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *where])
    assert " passed" in said
    assert "skipped" not in said


def strangers(environment: Environment, package: Package) -> str:
    """What can be imported there and belongs to somebody else."""
    known = {package.module, *(each.module for each in package.beneath)}
    names = [*NOBODYS, *({each.module for each in PACKAGES.values()} - known)]
    code = f"from importlib.util import find_spec; print(*[name for name in {names!r} if find_spec(name)])"
    return run([environment.python, "-c", code]).strip()
