"""Answers as files, until the queue has taken them."""

import json
from pathlib import Path
from typing import Protocol

import pytest
from botocore.exceptions import ClientError

from goalrunner_local.answers import hand_over, keep_answer, kept_answers
from goalrunner_local.cloud import Cloud
from goalrunner_local.queues import take_bodies


class Bench(Protocol):
    cloud: Cloud
    url: str


def texts(folder: Path) -> list[str]:
    return [message["text"] for _, message in kept_answers(folder)]


def test_an_answer_is_kept_whole(tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    path = keep_answer(folder, question="abcdefghij", text='Lisbon, "the\nold" part §', by="ana (terminal)")
    message = json.loads(path.read_text())
    assert message.pop("update_id")
    assert message == {
        "kind": "answer",
        "channel": "terminal",
        "question": "abcdefghij",
        "text": 'Lisbon, "the\nold" part §',
        "by": "ana (terminal)",
    }
    assert list(folder.iterdir()) == [path]


def test_an_answer_that_is_being_written_is_not_there_yet(tmp_path: Path) -> None:
    (tmp_path / "0-half.new").write_text('{"kind": "ans')
    assert texts(tmp_path) == []


def test_who_answered_is_named_with_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ana")
    keep_answer(tmp_path, question="abcdefghij", text="yes")
    [(_, message)] = kept_answers(tmp_path)
    assert message["by"] == "ana (terminal)"


def test_answers_come_in_the_order_in_which_they_were_given(tmp_path: Path) -> None:
    given = [f"answer {n}" for n in range(50)]
    for n, text in enumerate(given):
        keep_answer(tmp_path, question=f"question-{99 - n}", text=text)
    assert texts(tmp_path) == given


def test_two_answers_to_one_question_are_two_updates(tmp_path: Path) -> None:
    for text in ("first", "second"):
        keep_answer(tmp_path, question="abcdefghij", text=text)
    assert len({message["update_id"] for _, message in kept_answers(tmp_path)}) == 2


@pytest.mark.emulator
def test_handing_over_sends_each_answer_and_removes_its_file(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    for question in ("q1", "q2"):
        keep_answer(folder, question=question, text="yes")
    assert hand_over(bench.cloud, queue_url=bench.url, folder=folder) == ["q1", "q2"]
    assert texts(folder) == []
    assert {body["question"] for body in take_bodies(bench.cloud, bench.url)} == {"q1", "q2"}
    assert hand_over(bench.cloud, queue_url=bench.url, folder=folder) == []


@pytest.mark.emulator
def test_only_the_answers_that_were_named_are_handed_over(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    for question in ("q1", "q2"):
        keep_answer(folder, question=question, text=f"for {question}")
    assert hand_over(bench.cloud, queue_url=bench.url, folder=folder, only=set()) == []
    assert hand_over(bench.cloud, queue_url=bench.url, folder=folder, only={"q2", "q3"}) == ["q2"]
    assert texts(folder) == ["for q1"]
    assert [body["text"] for body in take_bodies(bench.cloud, bench.url)] == ["for q2"]


@pytest.mark.emulator
def test_an_answer_that_the_queue_did_not_take_is_kept(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "answers"
    keep_answer(folder, question="q1", text="yes")
    with pytest.raises(ClientError):
        hand_over(bench.cloud, queue_url=f"{bench.url}-which-is-not", folder=folder)
    assert texts(folder) == ["yes"]
