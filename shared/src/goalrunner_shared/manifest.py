"""`service.yaml`: what a service hears, says, needs and runs as; the one source of the topology."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from goalrunner_events import EVENTS
from goalrunner_shared.errors import InputError

# Short enough that no name in the topology is longer than AWS allows (64 for a function and a rule).
Name = Annotated[str, Field(pattern="^[a-z][a-z0-9-]*$", max_length=20)]


def _known(event: str) -> str:
    if event not in EVENTS:
        from difflib import get_close_matches

        meant = get_close_matches(event, EVENTS, n=1)
        raise ValueError(f"there is no event {event}" + (f"; did you mean {meant[0]}?" if meant else ""))
    return event


EventType = Annotated[str, AfterValidator(_known)]


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
    hears: tuple[EventType, ...] | Literal["all"] = ()


class StateMachine(_Strict):
    """A state machine: `definition` is a file beside the manifest, `sends_to` the function whose queue it uses."""

    definition: str
    sends_to: str


class Schedule(_Strict):
    """A schedule that sends the event `says` into the queue of the function `to` every `minutes`."""

    to: str
    says: EventType
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

    service: Name
    description: str
    functions: Mapping[Name, Function]
    says: tuple[EventType, ...] = ()
    needs: Needs = Needs()
    state_machines: Mapping[Name, StateMachine] = {}
    schedules: Mapping[Name, Schedule] = {}

    @model_validator(mode="after")
    def _functions_exist(self) -> Self:
        targets = [schedule.to for schedule in self.schedules.values()]
        targets += [machine.sends_to for machine in self.state_machines.values()]
        for target in targets:
            if target not in self.functions:
                raise ValueError(f"there is no function {target}; there are {', '.join(self.functions)}")
        return self


def read_manifest(path: Path) -> Manifest:
    """The manifest in a file; InputError says which key is wrong."""
    import yaml

    try:
        return Manifest.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except yaml.YAMLError as error:
        raise InputError(f"{path}: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        keys = [str(step) for step in first["loc"] if "[" not in str(step)]
        raise InputError(f"{path}: {'.'.join(keys) or 'the file'}: {first['msg']}") from error


def read_manifests(services: Path) -> tuple[Manifest, ...]:
    """Every `*/service.yaml` below the folder of the services, by name."""
    found = (read_manifest(path) for path in sorted(services.glob("*/service.yaml")))
    return tuple(sorted(found, key=lambda manifest: manifest.service))
