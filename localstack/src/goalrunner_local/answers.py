"""Answers that a person gave, kept as files until the notifier's queue has taken them."""

import json
import time
import uuid
from collections.abc import Iterator
from getpass import getuser
from pathlib import Path
from typing import Any

from goalrunner_local.cloud import Cloud


def keep_answer(folder: Path, *, question: str, text: str, by: str | None = None) -> Path:
    """Write an answer down; it is whole or not there."""
    folder.mkdir(parents=True, exist_ok=True)
    # File times are too coarse to tell which of two answers was first.
    update = f"{time.time_ns():020d}-{uuid.uuid4().hex}"
    message = {
        "kind": "answer",
        "channel": "terminal",
        "update_id": update,
        "question": question,
        "text": text,
        "by": by or f"{_user()} (terminal)",
    }
    path = folder / f"{update}.json"
    unfinished = path.with_suffix(".new")
    unfinished.write_text(json.dumps(message))
    return unfinished.replace(path)


def forget_answers(folder: Path, *, question: str) -> bool:
    """Take back what was kept for a question and not handed over yet; whether there was anything."""
    found = [path for path, message in kept_answers(folder) if message["question"] == question]
    for path in found:
        path.unlink(missing_ok=True)
    return bool(found)


def _user() -> str:
    try:
        return getuser()
    except (KeyError, OSError):
        return "somebody"


def kept_answers(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The answers that wait, oldest first."""
    for path in sorted(folder.glob("*.json")):
        yield path, json.loads(path.read_text())


def hand_over(cloud: Cloud, *, queue_url: str, folder: Path, only: set[str] | None = None) -> list[str]:
    """Send what waits to the notifier's queue; the questions answered. A file goes only after its message is taken."""
    questions = []
    for path, message in kept_answers(folder):
        if only is not None and message["question"] not in only:
            continue
        cloud.client("sqs").send_message(QueueUrl=queue_url, MessageBody=json.dumps(message))
        path.unlink()
        questions.append(message["question"])
    return questions
