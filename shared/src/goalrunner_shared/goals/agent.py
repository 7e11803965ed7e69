"""What does the work of a goal: the agent, its steps, and the checks of its result."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from goalrunner_shared.goals.values import Count, Duration, InsidePath, Line, Misfit, Name

StepId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
Argument = Annotated[str, Field(max_length=32_768)]


def _check_argv(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or not value[0].strip():
        raise Misfit("must begin with the program to run", 'write `argv: [sh, -c, "make report"]`')
    return value


Argv = Annotated[tuple[Argument, ...], AfterValidator(_check_argv)]


class Part(BaseModel):
    """Base of all that stands in a goal file: unknown keys are errors, nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Agent(Part):
    """Which engine works, with which limits; `argv` belongs to the engine `command` and to no other."""

    engine: Literal["claude-api", "claude-code", "codex", "command"] = "claude-api"
    model: Name = "default"
    max_turns: Count = 40
    timeout: Duration = timedelta(minutes=12)
    argv: Argv | None = Field(default=None, examples=[["sh", "-c", "make report"]])

    @model_validator(mode="after")
    def _command_has_argv(self) -> Self:
        if self.engine == "command" and self.argv is None:
            raise Misfit('needs argv for the engine "command"', 'write `argv: [sh, -c, "make report"]` beside it')
        if self.engine != "command" and self.argv is not None:
            raise Misfit(f'has argv, which the engine "{self.engine}" does not use', "write `engine: command`")
        return self


class Check(Part):
    """A command that must exit 0 before a result counts as done; plain text is run by a shell."""

    argv: Argv = Field(examples=[["make", "test"]])
    timeout: Duration = timedelta(minutes=5)
    criterion: Name | None = Field(default=None, examples=["AC1"])

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"argv": ["sh", "-c", value]} if isinstance(value, str) else value


class Step(Part):
    """One step of a plan: instructions for the agent (`do`) or a script of the repository, after its `needs`."""

    id: StepId = Field(examples=["collect"])
    do: str | None = Field(default=None, max_length=20_000, examples=["Collect the ads of the last week"])
    script: InsidePath | None = Field(default=None, examples=["scripts/collect.sh"])
    needs: tuple[StepId, ...] = ()
    agent: Agent | None = None
    tools: tuple[Name, ...] | None = None
    when: Line | None = None
    retries: Annotated[int, Field(strict=True, ge=0, le=10)] = 0

    @model_validator(mode="after")
    def _does_one_thing(self) -> Self:
        if (self.do is None) == (self.script is None):
            raise Misfit("needs either do or script", "write `do: what to do` or `script: path/of/script.sh`")
        return self


def check_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Step ids are unique and a step needs only steps above it, so that a plan has no circle."""
    seen: set[str] = set()
    for step in steps:
        if step.id in seen:
            raise Misfit(f'has two steps with the id "{step.id}"', "give each its own id")
        if unknown := _first_missing(step.needs, seen):
            raise Misfit(
                f'has a step "{step.id}" that needs "{unknown}", which does not stand above it',
                f'move the step "{unknown}" up or correct the name',
            )
        seen.add(step.id)
    return steps


def _first_missing(wanted: Iterable[str], known: set[str]) -> str | None:
    return next((name for name in wanted if name not in known), None)


Steps = Annotated[tuple[Step, ...], AfterValidator(check_steps)]
