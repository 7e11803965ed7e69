import sys
from typing import Any

SERVICES = {f"goalrunner_{name}" for name in ("scanner", "planner", "executor", "notifier", "reporter")}
HEAVY = {"anthropic", "boto3", "botocore", "genai_prices", "git", "jsonschema"}
# What a decision must not depend on: the world comes in through a port.
WORLD = {
    "anthropic",
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "git",
    "os",
    "random",
    "socket",
    "subprocess",
    "time",
}

Modules = tuple[Any, ...]


def test_every_kind_of_source_is_found(events: Modules, shared: Modules, services: Modules) -> None:
    assert len(events) >= 5
    assert len(shared) >= 15
    assert {module.package for module in services} == SERVICES


def test_a_service_imports_no_other_service_and_nothing_of_the_laptops(services: Modules) -> None:
    wrong = [
        f"{module.where}:{found.line} imports {found.name}"
        for module in services
        for found in module.imports
        if found.top in (SERVICES | {"goalrunner_local"}) - {module.package}
    ]
    assert wrong == []


def test_the_plumbing_imports_no_service(shared: Modules) -> None:
    wrong = [
        f"{module.where}:{found.line} imports {found.name}"
        for module in shared
        for found in module.imports
        if found.top in SERVICES | {"goalrunner_local"}
    ]
    assert wrong == []


def test_the_language_needs_pydantic_and_nothing_else(events: Modules) -> None:
    allowed = set(sys.stdlib_module_names) | {"pydantic", "goalrunner_events"}
    wrong = [
        f"{module.where}:{found.line} imports {found.name}"
        for module in events
        for found in module.imports
        # The page in docs/ is made from the manifests too, which are YAML: never where the events are used.
        if found.top not in allowed and not (module.path.name == "docs.py" and found.late and found.top == "yaml")
    ]
    assert wrong == []


def test_a_domain_knows_nothing_of_the_world(services: Modules) -> None:
    domains = [module for module in services if module.path.name == "domain.py"]
    wrong = [
        f"{module.where}:{found.line} imports {found.name}"
        for module in domains
        for found in module.imports
        if found.top in WORLD
    ]
    assert len(domains) >= 4
    assert wrong == []


def test_a_heavy_library_is_imported_where_it_is_used_and_not_before(shared: Modules, services: Modules) -> None:
    wrong = [
        f"{module.where}:{found.line} imports {found.name}"
        for module in (*shared, *services)
        for found in module.imports
        if found.top in HEAVY and not (found.late or found.typing_only or module.is_bench)
    ]
    assert wrong == []


def test_nothing_but_a_conformance_suite_imports_test_tools(everything: Modules) -> None:
    tools = {"pytest", "hypothesis", "moto", "unittest", "tests", "conftest"}
    wrong = [
        f"{module.where}:{found.line} imports {found.name}"
        for module in everything
        for found in module.imports
        if not module.is_bench and (found.top in tools or "conformance" in found.name.split("."))
    ]
    assert wrong == []
