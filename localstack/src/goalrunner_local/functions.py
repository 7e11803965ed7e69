"""The environment that each function gets on this machine, and how many lanes it has."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from goalrunner_local.cloud import Cloud
from goalrunner_local.lane import FunctionSpec
from goalrunner_local.provision import ROLE, Provisioned, queue_arn
from goalrunner_local.state import StateFolder

# The least that programs need; git's and ssh's own variables let a remote be reached as the user reaches it.
KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "SSL_CERT_FILE")
GIT_VARIABLES = ("SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_SSL_CAINFO")
LANES = {"goalrunner-executor-execute": 2}


@dataclass(frozen=True)
class RunSettings:
    """What a person chose for a run.

    `clock` fixes the time (ISO), `engines` are those that can run here, `ask_cap` cuts every question's window to so
    many seconds, `model_environment` is what the executor needs to reach a model.
    """

    repository: str
    clock: str | None = None
    engines: tuple[str, ...] = ("command",)
    ask_cap: int | None = None
    model_environment: Mapping[str, str] = field(default_factory=dict)
    on_lambda: bool = False


def function_specs(
    cloud: Cloud, made: Provisioned, state: StateFolder, settings: RunSettings
) -> Iterator[FunctionSpec]:
    """A spec for each lane of each function."""
    for name, function in made.topology["functions"].items():
        for lane in range(LANES.get(name, 1)):
            yield FunctionSpec(
                name=name,
                handler=function["handler"],
                queue_url=made.queue_urls[name],
                timeout=function["timeout"],
                batch=function["batch"],
                environment=function_environment(cloud, made, state, settings, name=name, lane=lane),
                log=state.logs / f"{name}.log",
            )


def proxies() -> dict[str, str]:
    """The user's proxies for what lies outside; what runs on this machine is reached without them."""
    found = {key: value for key, value in os.environ.items() if key.lower() in ("http_proxy", "https_proxy")}
    if found:
        exempt = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
        found["NO_PROXY"] = found["no_proxy"] = ",".join(filter(None, (exempt, "127.0.0.1", "localhost")))
    return found


def function_environment(
    cloud: Cloud, made: Provisioned, state: StateFolder, settings: RunSettings, *, name: str, lane: int = 0
) -> dict[str, str]:
    """All variables of a function's process; nothing else of this process's environment reaches it."""
    function = made.topology["functions"][name]
    service = function["service"]
    found = {key: os.environ[key] for key in (*KEPT_VARIABLES, *GIT_VARIABLES) if key in os.environ} | proxies()
    found |= cloud.environment()
    found |= {
        "AWS_LAMBDA_FUNCTION_NAME": name,
        "POWERTOOLS_SERVICE_NAME": service,
        "GOALRUNNER_BUS": made.topology["bus"],
        "GOALRUNNER_BUCKET": made.topology["bucket"],
        "GOALRUNNER_TABLE": f"goalrunner-{service}",
        "GOALRUNNER_REPOSITORY": settings.repository,
        "GOALRUNNER_MIRROR": str(state.mirrors / f"{name}-{lane}.git"),
        "GOALRUNNER_CLOCK": settings.clock or "",
    }
    return found | _of_service(made, state, settings, service)


def _of_service(made: Provisioned, state: StateFolder, settings: RunSettings, service: str) -> dict[str, str]:
    match service:
        case "scanner":
            return {"GOALRUNNER_ENGINES": ",".join(settings.engines)}
        case "executor":
            return {"GOALRUNNER_WORK": str(state.work), **settings.model_environment}
        case "notifier":
            return {
                "GOALRUNNER_CHANNEL": "terminal",
                "GOALRUNNER_TERMINAL": str(state.terminal),
                "GOALRUNNER_ASK_CAP": str(settings.ask_cap or ""),
                "GOALRUNNER_STATE_MACHINE": made.machine_arns["goalrunner-notifier-clarification"],
                "GOALRUNNER_DELIVER_QUEUE": queue_arn("goalrunner-notifier-deliver"),
                "GOALRUNNER_SCHEDULER_ROLE": ROLE,
            }
        case _:
            return {}
