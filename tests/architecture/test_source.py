import ast
import re
from collections.abc import Iterator
from typing import Any

EVENT_TYPE = re.compile(r"[a-z]+\.[a-z]+\.v[0-9]+")
# The adapters of the plumbing live beside their ports.
SHARED_ADAPTERS = {"aws.py", "blobs.py", "once.py", "publisher.py", "rows.py"}

Modules = tuple[Any, ...]


def test_a_service_reads_its_environment_in_its_settings_alone(services: Modules) -> None:
    wrong = [
        f"{module.where}:{node.lineno}"
        for module in services
        if module.path.name != "settings.py"
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "environb", "getenv"))
        or (isinstance(node, ast.ImportFrom) and any(each.name in ("environ", "getenv") for each in node.names))
    ]
    assert wrong == []


def test_only_adapters_name_the_errors_of_aws(shared: Modules, services: Modules) -> None:
    def may(module: Any) -> bool:
        return "adapters" in module.path.parts or module.path.name in SHARED_ADAPTERS or module.is_bench

    wrong = [
        f"{module.where}:{line}"
        for module in (*shared, *services)
        if not may(module)
        for line in _names_aws_errors(module)
    ]
    assert wrong == []


def _names_aws_errors(module: Any) -> Iterator[int]:
    yield from (found.line for found in module.imports if found.top == "botocore")
    for node in ast.walk(module.tree):
        # client.exceptions.NoSuchKey
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Attribute)
            and node.value.attr == "exceptions"
        ):
            yield node.lineno


def test_an_event_type_is_typed_in_its_class_alone(everything: Modules) -> None:
    typed = [
        (module, node)
        for module in everything
        if not module.is_bench
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and EVENT_TYPE.fullmatch(node.value)
    ]
    assert [f"{module.where}:{node.lineno}" for module, node in typed if module.package != "goalrunner_events"] == []
    assert len({node.value for _, node in typed}) == len(typed), "an event type is typed twice"


def test_every_port_says_what_it_promises(shared: Modules, services: Modules) -> None:
    silent = [
        f"{module.where}:{node.lineno} {node.name}"
        for module in (*shared, *services)
        if not module.is_bench
        for node in _public_seams(module)
        if ast.get_docstring(node) is None
    ]
    assert silent == []


def _public_seams(module: Any) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    """What is public in a ports.py, and every Protocol wherever it is, with its methods."""
    everything = module.path.name in ("ports.py", "port.py")
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef) and everything and not node.name.startswith("_"):
            yield node
        if isinstance(node, ast.ClassDef) and (everything or any(_is_protocol(base) for base in node.bases)):
            yield node
            if any(_is_protocol(base) for base in node.bases):
                yield from (each for each in node.body if isinstance(each, ast.FunctionDef))


def _is_protocol(base: ast.expr) -> bool:
    return ast.unparse(base).partition("[")[0].rpartition(".")[2] == "Protocol"


def test_nobody_swallows_an_error_unseen(everything: Modules) -> None:
    wrong = [
        f"{module.where}:{node.lineno}"
        for module in everything
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and all(isinstance(each, ast.Pass | ast.Continue) for each in node.body)
    ]
    assert wrong == []
