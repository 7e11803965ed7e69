"""The topology that the manifests describe: the same fold as `infra/modules/topology`."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from goalrunner_shared.manifest import Function, Manifest

PREFIX = "goalrunner"
MAX_RECEIVES = 5


class Place(NamedTuple):
    """A function in its service."""

    service: str
    name: str
    function: Function

    @property
    def queue(self) -> str:
        return queue_name(self.service, self.name)


def queue_name(service: str, function: str) -> str:
    """The queue that feeds a function; its dead-letter queue is this with `-dead`."""
    return f"{PREFIX}-{service}-{function}"


def table_name(service: str) -> str:
    """The table that a service owns."""
    return f"{PREFIX}-{service}"


def fold(manifests: Iterable[Manifest]) -> dict[str, Any]:
    """Everything that has to exist, as plain JSON values, every map keyed by the thing's name."""
    services = tuple(manifests)
    places = [
        Place(manifest.service, name, function)
        for manifest in services
        for name, function in manifest.functions.items()
    ]
    return {
        "bus": PREFIX,
        "bucket": PREFIX,
        "queues": {place.queue: _queue(place) for place in places},
        "rules": dict(rule for place in places for rule in _rules(place)),
        "functions": {place.queue: _function(place) for place in places},
        "tables": {table_name(each.service): {"service": each.service} for each in services if each.needs.table},
        "state_machines": {
            f"{PREFIX}-{each.service}-{name}": {
                "service": each.service,
                "definition": machine.definition,
                "queue": queue_name(each.service, machine.sends_to),
            }
            for each in services
            for name, machine in each.state_machines.items()
        },
        "schedules": {
            f"{PREFIX}-{each.service}-{name}": {
                "queue": queue_name(each.service, schedule.to),
                "event": schedule.says,
                "minutes": schedule.minutes,
            }
            for each in services
            for name, schedule in each.schedules.items()
        },
    }


def visibility(function: Function) -> int:
    """Seconds that a message stays hidden while it is being handled."""
    return function.timeout + 60 if function.batch == 1 else 6 * function.timeout


def _queue(place: Place) -> dict[str, Any]:
    return {
        "dead_letter_queue": f"{place.queue}-dead",
        "max_receives": MAX_RECEIVES,
        "visibility": visibility(place.function),
    }


def _rules(place: Place) -> Iterator[tuple[str, dict[str, Any]]]:
    if place.function.hears == "all":
        yield f"{place.queue}-all", {"pattern": {"source": [{"prefix": f"{PREFIX}."}]}, "queue": place.queue}
        return
    for event in place.function.hears:
        name = f"{place.queue}-{event.replace('.', '-')}"
        yield name, {"pattern": {"detail-type": [event]}, "queue": place.queue}


def _function(place: Place) -> dict[str, Any]:
    function = place.function
    return {
        "service": place.service,
        "handler": function.handler,
        "timeout": function.timeout,
        "memory": function.memory,
        "batch": function.batch,
        "concurrency": function.concurrency,
    }
