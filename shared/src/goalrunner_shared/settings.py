"""Settings: read from the environment in one place, checked once, at call time."""

import os
from collections.abc import Mapping
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from goalrunner_shared.clock import Clock, clock_from
from goalrunner_shared.errors import InputError

AUTHOR = "Goalrunner <goalrunner@localhost>"


class Settings(BaseModel):
    """What every service is told; a field `table` is read from the variable `GOALRUNNER_TABLE`."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    PREFIX: ClassVar[str] = "GOALRUNNER_"
    # Fields whose variable is somebody else's and keeps its own name.
    FOREIGN: ClassVar[Mapping[str, str]] = {}

    bus: str
    bucket: str
    table: str = ""
    clock: str | None = None

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The settings in `environment` (the process's own by default); InputError names the variable."""
        found = os.environ if environment is None else environment
        values = {name: found[cls.variable(name)] for name in cls.model_fields if found.get(cls.variable(name))}
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            name = cls.variable(str(first["loc"][0]))
            # Without the cause: it would show the values, and keys are among them.
            raise InputError(f"{name}: {first['msg']}; set it in the function's environment") from None

    @classmethod
    def variable(cls, field: str) -> str:
        """The environment variable that a field is read from."""
        return cls.FOREIGN.get(field, cls.PREFIX + field.upper())

    def make_clock(self) -> Clock:
        """The clock: the system's, unless `GOALRUNNER_CLOCK` fixes it."""
        return clock_from(self.clock)


class RepositorySettings(Settings):
    """For services that touch the goals repository."""

    repository: str
    branch: str | None = None
    mirror: str = "/tmp/goalrunner-mirror.git"
    author: str = AUTHOR
