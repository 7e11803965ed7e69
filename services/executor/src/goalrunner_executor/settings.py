"""What the executor is told by its environment."""

import tempfile
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from goalrunner_shared.settings import RepositorySettings


class ExecutorSettings(RepositorySettings):
    """`work` is the folder for checkouts, `stop_before` seconds are kept before the function's end.

    `model` is called where a goal names none. PATH and LANG are all that the agent's programs get of the environment.
    """

    FOREIGN: ClassVar[Mapping[str, str]] = {
        "anthropic_api_key": "ANTHROPIC_API_KEY",
        "anthropic_base_url": "ANTHROPIC_BASE_URL",
        "path": "PATH",
        "lang": "LANG",
    }

    work: str = Field(default_factory=tempfile.gettempdir)
    stop_before: float = Field(default=90.0, ge=0)
    model: str = "claude-sonnet-5-5"
    anthropic_api_key: str | None = Field(default=None, repr=False)
    anthropic_base_url: str | None = None
    path: str = "/usr/local/bin:/usr/bin:/bin"
    lang: str = "C.UTF-8"
