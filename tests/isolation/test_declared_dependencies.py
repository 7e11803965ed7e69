"""What a package imports it declares, and what it declares it imports."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

from tests.isolation.packages import PACKAGES, SERVICES, Package, distribution

# botocore is boto3's other half; it has no version of its own that could be chosen.
COMES_WITH = {"botocore": "boto3"}
# A conformance suite runs where the test tools are; the page about events is made where everything is.
ELSEWHERE = {"pytest": ("conformance", "conformance.py"), "yaml": ("docs.py",)}


def imported(package: Package) -> Iterator[tuple[str, Path]]:
    """The distributions that a package's source imports, wherever in it, and the files that do."""
    owners = {each.module: f"goalrunner-{name}" for name, each in PACKAGES.items()}
    owners |= {top: distribution(names[0]) for top, names in packages_distributions().items() if top not in owners}
    for path in sorted(package.folder.glob("src/**/*.py")):
        tops = {top for node in ast.walk(ast.parse(path.read_text("utf-8"))) for top in _tops(node)}
        for top in sorted(tops - sys.stdlib_module_names - {package.module}):
            if not set(ELSEWHERE.get(top, ())) & set(path.parts):
                name = owners.get(top, top)
                yield COMES_WITH.get(name, name), path


def _tops(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield (node.module or "").partition(".")[0]


@pytest.mark.parametrize("name", PACKAGES)
def test_nothing_is_imported_that_is_not_declared(name: str) -> None:
    package = PACKAGES[name]
    # What the plumbing's own seams are made of comes with it: models of pydantic, records of Powertools.
    declared = {distribution(each) for each in [*package.declared, *package.from_outside]}
    if name in SERVICES:
        declared -= {"gitpython"}
    wrong = [f"{path.name} imports {found}" for found, path in imported(package) if found not in declared]
    assert wrong == []


@pytest.mark.parametrize("name", PACKAGES)
def test_nothing_is_declared_that_is_not_imported(name: str) -> None:
    package = PACKAGES[name]
    used = {found for found, _ in imported(package)}
    assert [each for each in package.declared if distribution(each) not in used] == []


@pytest.mark.parametrize("name", SERVICES)
def test_git_is_declared_where_the_manifest_needs_a_repository_and_nowhere_else(name: str) -> None:
    package = PACKAGES[name]
    needs = yaml.safe_load((package.folder / "service.yaml").read_text("utf-8"))["needs"]
    assert ("goalrunner-shared[git]" in package.declared) == bool(needs.get("repository"))


@pytest.mark.parametrize("name", SERVICES)
def test_what_is_locked_is_what_is_declared(name: str) -> None:
    package = PACKAGES[name]
    lines = (package.folder / "requirements.txt").read_text("utf-8").splitlines()
    locked = {distribution(line) for line in lines if line and not line.startswith((" ", "#"))}
    without_git = [each for each in package.from_outside if distribution(each) != "gitpython"]
    assert [each for each in without_git if distribution(each) not in locked] == []
    assert ("gitpython" in locked) == ("goalrunner-shared[git]" in package.declared)
