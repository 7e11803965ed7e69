"""The shell: cheap to import, and wired as the manifest says."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from goalrunner_events import EVENTS
from goalrunner_planner.compose import routes
from goalrunner_shared.manifest import read_manifest

HEAVY = ("boto3", "git", "anthropic", "jsonschema")


def test_importing_the_handler_loads_nothing_heavy() -> None:
    script = f"import sys, goalrunner_planner.handler; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_manifest_hears_what_the_routes_handle(world: Any) -> None:
    manifest = read_manifest(Path(__file__).parents[1] / "service.yaml")
    table = routes(parts=world, repository=world.repository)
    assert {EVENTS[name] for name in manifest.functions["plan"].hears} == set(table)
    assert all(EVENTS[name].SOURCE == "goalrunner.planner" for name in manifest.says)
