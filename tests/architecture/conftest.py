import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Import:
    """One imported name in full; `late` inside a function, `typing_only` below `if TYPE_CHECKING`."""

    name: str
    line: int
    late: bool
    typing_only: bool

    @property
    def top(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Module:
    """A Python file of a package's source."""

    path: Path

    @property
    def where(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def package(self) -> str:
        return self.path.relative_to(ROOT).as_posix().partition("/src/")[2].partition("/")[0]

    @property
    def is_bench(self) -> bool:
        """Whether it is there for tests: a conformance suite or what such a suite stands on."""
        return bool({"conformance", "conformance.py", "bench.py"} & set(self.path.parts))

    @cached_property
    def text(self) -> str:
        return self.path.read_text("utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        return tuple(_imports(self.tree, late=False, typing_only=False))


def _imports(node: ast.AST, *, late: bool, typing_only: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, child.lineno, late, typing_only)
        elif isinstance(child, ast.ImportFrom):
            for alias in child.names:
                yield Import(f"{child.module}.{alias.name}", child.lineno, late, typing_only)
        else:
            inside = late or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            types = typing_only or (isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING"))
            yield from _imports(child, late=inside, typing_only=types)


def _modules(*patterns: str) -> tuple[Module, ...]:
    found = sorted(path for pattern in patterns for path in ROOT.glob(pattern))
    return tuple(Module(path) for path in found)


@pytest.fixture(scope="session")
def events() -> tuple[Module, ...]:
    return _modules("events/src/**/*.py")


@pytest.fixture(scope="session")
def shared() -> tuple[Module, ...]:
    return _modules("shared/src/**/*.py")


@pytest.fixture(scope="session")
def services() -> tuple[Module, ...]:
    return _modules("services/*/src/**/*.py")


@pytest.fixture(scope="session")
def everything() -> tuple[Module, ...]:
    return _modules("events/src/**/*.py", "shared/src/**/*.py", "services/*/src/**/*.py", "localstack/src/**/*.py")
