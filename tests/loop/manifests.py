"""What the real manifests say: functions, tables, rules and batches."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from goalrunner_shared.manifest import read_manifests
from goalrunner_shared.topology import fold

SERVICES = Path(__file__).parents[2] / "services"


@cache
def topology() -> Mapping[str, Any]:
    """The fold of the real manifests."""
    return fold(read_manifests(SERVICES))


def largest_batch(queue: str) -> int:
    """As the manifest has it."""
    size: int = topology()["functions"][queue]["batch"]
    return size


def matches(pattern: Mapping[str, Any], envelope: Mapping[str, Any]) -> bool:
    """Whether a rule with this pattern takes the event."""
    return all(any(_fits(wanted, envelope[key]) for wanted in choice) for key, choice in pattern.items())


def _fits(wanted: Any, value: str) -> bool:
    return value.startswith(wanted["prefix"]) if isinstance(wanted, dict) else value == wanted
