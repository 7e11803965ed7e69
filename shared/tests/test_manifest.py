from pathlib import Path

import pytest

from goalrunner_shared.errors import InputError
from goalrunner_shared.manifest import Function, Manifest, read_manifest, read_manifests

SMALLEST = """\
service: post
description: Carries letters
functions:
  carry: {handler: post.handler}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "service.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_the_smallest_manifest_gets_the_defaults(tmp_path: Path) -> None:
    manifest = read_manifest(written(tmp_path, SMALLEST))
    assert manifest == Manifest(
        service="post", description="Carries letters", functions={"carry": Function(handler="post.handler")}
    )
    function = manifest.functions["carry"]
    assert (function.timeout, function.memory, function.batch, function.concurrency) == (60, 256, 10, 2)
    assert function.hears == ()
    assert manifest.needs.repository == "none"


def test_everything_that_may_be_said_is_read(tmp_path: Path) -> None:
    text = """\
service: post
description: Carries letters
functions:
  carry: {handler: post.carry, timeout: 900, memory: 2048, batch: 1, concurrency: 5, hears: [goal.due.v1]}
  listen: {handler: post.listen, hears: all}
says: [attempt.planned.v1]
needs:
  table: true
  repository: write
  bucket: {read: [events/], write: [events/, post/]}
  secrets: [TOKEN]
state_machines:
  wait: {definition: wait.asl.json, sends_to: carry}
schedules:
  slots: {to: carry, says: scan.requested.v1, minutes: 120}
"""
    manifest = read_manifest(written(tmp_path, text))
    assert manifest.functions["listen"].hears == "all"
    assert manifest.functions["carry"].hears == ("goal.due.v1",)
    assert manifest.needs.bucket.write == ("events/", "post/")
    assert manifest.schedules["slots"].minutes == 120


WRONG = {
    "an unknown key": (SMALLEST + "hears: [goal.due.v1]\n", "hears: Extra inputs are not permitted"),
    "an unknown key of a function": (
        SMALLEST.replace("handler}", "handler, timout: 5}"),
        "functions.carry.timout: Extra inputs are not permitted",
    ),
    "an unknown need": (SMALLEST + "needs: {tabel: true}\n", "needs.tabel: Extra inputs are not permitted"),
    "no handler": (SMALLEST.replace("handler: post.handler", ""), "functions.carry.handler: Field required"),
    "a misspelt event": (
        SMALLEST + "says: [goal.deu.v1]\n",
        "there is no event goal.deu.v1; did you mean goal.due.v1?",
    ),
    "an event of no version": (SMALLEST + "says: [goal.due]\n", "there is no event goal.due"),
    "an event heard that there is not": (
        SMALLEST.replace("handler}", "handler, hears: [step.redy.v1]}"),
        "functions.carry.hears.0: Value error, there is no event step.redy.v1; did you mean step.ready.v1?",
    ),
    "a text where a list is wanted": (
        SMALLEST.replace("handler}", "handler, hears: goal.due.v1}"),
        "functions.carry.hears: Input should be",
    ),
    "a schedule of an event that there is not": (
        SMALLEST + "schedules: {slots: {to: carry, says: sun.risen.v1, minutes: 5}}\n",
        "there is no event sun.risen.v1",
    ),
    "a schedule to a function that there is not": (
        SMALLEST + "schedules: {slots: {to: deliver, says: scan.requested.v1, minutes: 5}}\n",
        "there is no function deliver; there are carry",
    ),
    "a machine that sends to a function that there is not": (
        SMALLEST + "state_machines: {wait: {definition: x.json, sends_to: deliver}}\n",
        "there is no function deliver",
    ),
    "a batch of eleven": (SMALLEST.replace("handler}", "handler, batch: 11}"), "functions.carry.batch"),
    "an hour's function": (SMALLEST.replace("handler}", "handler, timeout: 3600}"), "functions.carry.timeout"),
    "a name with a capital": (SMALLEST.replace("post\n", "Post\n", 1), "service: String should match"),
    "a name too long for a rule": (SMALLEST.replace("carry", "carry" * 5), "at most 20 characters"),
    "an empty file": ("", "the file: Input should be"),
    "no mapping": ("- service\n", "the file: Input should be"),
    "no YAML": ("service: [\n", "while parsing"),
    "nothing where a mapping is wanted": (SMALLEST + "needs:\n", "needs: Input should be"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_refused_with_file_and_key(tmp_path: Path, kind: str) -> None:
    text, problem = WRONG[kind]
    path = written(tmp_path, text)
    with pytest.raises(InputError) as refused:
        read_manifest(path)
    assert str(refused.value).startswith(f"{path}: ")
    assert problem in str(refused.value)


def test_all_manifests_are_read_by_the_name_of_the_service(tmp_path: Path) -> None:
    for folder, service in (("a", "zoo"), ("b", "post")):
        written(tmp_path / folder, SMALLEST.replace("post\n", f"{service}\n", 1))
    (tmp_path / "c").mkdir()
    assert [manifest.service for manifest in read_manifests(tmp_path)] == ["post", "zoo"]
