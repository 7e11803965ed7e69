"""The repository's own defaults: `goalrunner.yaml` at its root, laid under every goal file."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from goalrunner_shared.goals.front_matter import FrontMatterError, load_mapping
from goalrunner_shared.goals.model import KINDS, GoalSettings
from goalrunner_shared.goals.problems import InvalidGoal, explain
from goalrunner_shared.goals.source import decode

DEFAULTS_PATH = "goalrunner.yaml"

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Defaults:
    """What `goalrunner.yaml` says, as it was written; checked, but not yet filled up with the built-in defaults."""

    values: Data = field(default_factory=dict)

    def under(self, own: Data) -> Data:
        """A goal's own keys, with these values wherever it says nothing, at every depth."""
        return _merged(self.values, own) if self.values else own


NO_DEFAULTS = Defaults()


def parse_defaults(content: bytes | None, path: str = DEFAULTS_PATH) -> Defaults:
    """The defaults in the file's content; no file is no defaults. InvalidGoal names the line of what is wrong."""
    text = "" if content is None else decode(path, content)
    if not any(line.strip() and not line.lstrip().startswith("#") for line in text.split("\n")):
        return NO_DEFAULTS
    try:
        values = load_mapping(text)
        GoalSettings.model_validate(_made_whole(values))
    except FrontMatterError as error:
        raise InvalidGoal(path, error.line, error.problem, error.hint) from None
    except ValidationError as error:
        line, problem, hint = explain(error, text)
        raise InvalidGoal(path, max(line, 1), problem, hint) from None
    return Defaults(values)


def _made_whole(values: Data) -> Data:
    """Defaults may be half a schedule or half an agent: add the other half, so that the rest can be checked."""
    whole = dict(values)
    schedule, agent = values.get("schedule"), values.get("agent")
    if isinstance(schedule, dict) and not any(kind in schedule for kind in KINDS):
        whole["schedule"] = {"every": "24h", **schedule}
    if isinstance(agent, dict) and agent.get("engine") == "command":
        whole["agent"] = {"argv": ["true"], **agent}
    return whole


def _merged(below: Data, own: Data) -> Data:
    both = {**below, **own}
    for key, value in own.items():
        under = below.get(key)
        if isinstance(under, dict) and isinstance(value, dict):
            both[key] = _merged(_not_overruled(key, under, value), value)
    return both


def _not_overruled(key: str, below: Data, own: Data) -> Data:
    """A goal that chooses another kind of schedule or another engine does not inherit what belongs to the default's."""
    if key == "schedule" and any(kind in own for kind in KINDS):
        return {name: value for name, value in below.items() if name not in {*KINDS, "around"}}
    if key == "agent" and own.get("engine", below.get("engine")) != below.get("engine"):
        return {name: value for name, value in below.items() if name not in {"argv", "model"}}
    return below
