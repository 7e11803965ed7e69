import json
from pathlib import Path

import pytest

from goalrunner_events import EVENTS
from goalrunner_shared.manifest import Function, Manifest, Needs, Schedule, StateMachine, read_manifests
from goalrunner_shared.topology import fold, visibility

SERVICES = Path(__file__).resolve().parents[2] / "services"

POST = Manifest(
    service="post",
    description="Carries letters",
    functions={
        "carry": Function(handler="post.carry", timeout=900, memory=2048, batch=1, hears=("step.ready.v1",)),
        "deliver": Function(handler="post.deliver", timeout=30),
    },
    needs=Needs(table=True),
    state_machines={"wait": StateMachine(definition="wait.asl.json", sends_to="deliver")},
    schedules={"slots": Schedule(to="carry", says="scan.requested.v1", minutes=120)},
)
ARCHIVE = Manifest(
    service="archive", description="Keeps letters", functions={"keep": Function(handler="archive.keep", hears="all")}
)


def test_two_services_fold_to_everything_that_has_to_exist() -> None:
    assert fold([POST, ARCHIVE]) == {
        "bus": "goalrunner",
        "bucket": "goalrunner",
        "queues": {
            "goalrunner-post-carry": {
                "dead_letter_queue": "goalrunner-post-carry-dead",
                "max_receives": 5,
                "visibility": 960,
            },
            "goalrunner-post-deliver": {
                "dead_letter_queue": "goalrunner-post-deliver-dead",
                "max_receives": 5,
                "visibility": 180,
            },
            "goalrunner-archive-keep": {
                "dead_letter_queue": "goalrunner-archive-keep-dead",
                "max_receives": 5,
                "visibility": 360,
            },
        },
        "rules": {
            "goalrunner-post-carry-step-ready-v1": {
                "pattern": {"detail-type": ["step.ready.v1"]},
                "queue": "goalrunner-post-carry",
            },
            "goalrunner-archive-keep-all": {
                "pattern": {"source": [{"prefix": "goalrunner."}]},
                "queue": "goalrunner-archive-keep",
            },
        },
        "functions": {
            "goalrunner-post-carry": {
                "service": "post",
                "handler": "post.carry",
                "timeout": 900,
                "memory": 2048,
                "batch": 1,
                "concurrency": 2,
            },
            "goalrunner-post-deliver": {
                "service": "post",
                "handler": "post.deliver",
                "timeout": 30,
                "memory": 256,
                "batch": 10,
                "concurrency": 2,
            },
            "goalrunner-archive-keep": {
                "service": "archive",
                "handler": "archive.keep",
                "timeout": 60,
                "memory": 256,
                "batch": 10,
                "concurrency": 2,
            },
        },
        "tables": {"goalrunner-post": {"service": "post"}},
        "state_machines": {
            "goalrunner-post-wait": {
                "service": "post",
                "definition": "wait.asl.json",
                "queue": "goalrunner-post-deliver",
            }
        },
        "schedules": {
            "goalrunner-post-slots": {"queue": "goalrunner-post-carry", "event": "scan.requested.v1", "minutes": 120}
        },
    }


def test_no_service_folds_to_an_empty_town() -> None:
    empty = fold([])
    assert (empty["queues"], empty["rules"], empty["tables"]) == ({}, {}, {})


def test_the_order_of_the_services_does_not_matter() -> None:
    assert fold([POST, ARCHIVE]) == fold([ARCHIVE, POST])


def test_the_fold_is_plain_json() -> None:
    folded = fold([POST, ARCHIVE])
    assert json.loads(json.dumps(folded)) == folded


@pytest.mark.parametrize(("batch", "timeout", "seconds"), [(1, 900, 960), (1, 60, 120), (2, 60, 360), (10, 900, 5400)])
def test_a_message_stays_hidden_for_longer_than_it_may_take(batch: int, timeout: int, seconds: int) -> None:
    assert visibility(Function(handler="x", batch=batch, timeout=timeout)) == seconds


@pytest.mark.parametrize(
    "manifests",
    [
        read_manifests(SERVICES),
        [Manifest(service="s" * 20, description="", functions={"f": Function(handler="x", hears=tuple(EVENTS))})],
    ],
    ids=["the real ones", "a long name"],
)
def test_every_name_is_as_short_as_aws_wants_it(manifests: list[Manifest]) -> None:
    folded = fold(manifests)
    for queue in folded["queues"].values():
        assert len(queue["dead_letter_queue"]) <= 80
    for kind in ("functions", "rules", "schedules"):
        assert all(len(name) <= 64 for name in folded[kind]), kind
    assert all(len(name) <= 80 for name in folded["state_machines"])
    assert all(len(name) <= 255 for name in folded["tables"])


def test_everything_points_at_a_queue_that_there_is() -> None:
    folded = fold(read_manifests(SERVICES))
    for kind in ("rules", "state_machines", "schedules"):
        assert {each["queue"] for each in folded[kind].values()} <= folded["queues"].keys(), kind
    assert folded["functions"].keys() == folded["queues"].keys()


def test_a_machines_definition_lies_beside_its_manifest() -> None:
    for machine in fold(read_manifests(SERVICES))["state_machines"].values():
        assert (SERVICES / machine["service"] / machine["definition"]).is_file()
