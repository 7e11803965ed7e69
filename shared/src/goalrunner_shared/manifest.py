"""`service.yaml`: what a service hears, says, needs and runs as; the one source of the topology."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from goalrunner_shared.errors import InputError

NAME = "^[a-z][a-z0-9-]*$"
EVENT = r"^[a-z]+\.[a-z]+\.v[0-9]+$"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Function(_Strict):
    """One function: `handler` is `module.attribute`, `timeout` in seconds, `memory` in MB.

    `hears` lists event types, or is `all`; a function that hears nothing is sent to directly (by a state machine,
    a schedule or a channel). `batch: 1` means one message at a time and a visibility of timeout + 60 s.
    """

    handler: str
    timeout: int = Field(default=60, ge=1, le=900)
    memory: int = Field(default=256, ge=128, le=10240)
    batch: int = Field(default=10, ge=1, le=10)
    concurrency: int = Field(default=2, ge=2, le=1000)
    hears: tuple[str, ...] | Literal["all"] = ()


class StateMachine(_Strict):
    """A state machine: `definition` is a file beside the manifest, `sends_to` the function whose queue it uses."""

    definition: str
    sends_to: str


class Schedule(_Strict):
    """A schedule that sends the event `says` into the queue of the function `to` every `minutes`."""

    to: str
    says: str = Field(pattern=EVENT)
    minutes: int = Field(ge=1)


class Bucket(_Strict):
    """The prefixes that a service reads and writes in the bucket."""

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


class Needs(_Strict):
    """What a service uses besides its queues."""

    table: bool = False
    repository: Literal["none", "read", "write"] = "none"
    bucket: Bucket = Bucket()
    secrets: tuple[str, ...] = ()


class Manifest(_Strict):
    """One service."""

    service: str = Field(pattern=NAME)
    description: str
    functions: Mapping[str, Function]
    says: tuple[str, ...] = ()
    needs: Needs = Needs()
    state_machines: Mapping[str, StateMachine] = {}
    schedules: Mapping[str, Schedule] = {}


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file; InputError says which key is wrong."""
    import yaml

    try:
        return Manifest.model_validate(yaml.safe_load(path.read_text()))
    except (ValidationError, yaml.YAMLError) as error:
        raise InputError(f"{path}: {error}") from error


def read_manifests(services: Path) -> tuple[Manifest, ...]:
    """Every `*/service.yaml` below the folder of the services, by name."""
    found = (read_manifest(path) for path in sorted(services.glob("*/service.yaml")))
    return tuple(sorted(found, key=lambda manifest: manifest.service))
