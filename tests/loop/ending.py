"""What a world has come to, comparable with what another one has."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from goalrunner_events import GoalDueV1, ScanCompletedV1, Trigger
from goalrunner_shared.rows import InMemoryRows
from tests.loop.world import World

# What a row says as long as something is still to be done for it.
_PROMISES = ("published", "closed", "announced", "ended", "settled")
_COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class End:
    """What a world has come to, in words that do not depend on the order in which it did.

    `tree`: content by path; `commits`: subjects by attempt, oldest first; `events`: by id every content that was said
    under it; `causes`: by id what brought it about; `journal`: event ids; `notices`: how often each was sent, by key;
    `loose`: rows that wait for something; `dead`: queues whose messages were given up.
    """

    tree: Mapping[str, str]
    commits: Mapping[str, Sequence[str]]
    events: Mapping[str, frozenset[str]]
    causes: Mapping[str, frozenset[str]]
    journal: frozenset[str]
    notices: Mapping[str, int]
    loose: Sequence[str]
    dead: Sequence[str]

    @property
    def outcomes(self) -> Mapping[str, str]:
        """How each attempt that was reported ended, by goal, as its last commit says."""
        return {name.partition(".")[0]: said[-1].rpartition(": ")[2] for name, said in self.commits.items()}


def end_of(world: World) -> End:
    """The end, once the bag is empty."""
    assert not world.bag
    name = _namer(world)
    history = world.repository.history()
    files = {path: file.content.decode() for path, file in history[0].tree.items()}
    commits: dict[str, list[str]] = {}
    for draft in (commit.draft for commit in reversed(history) if commit.draft):
        commits.setdefault(dict(draft.trailers)["Attempt-Id"], []).append(draft.subject)
    events: dict[str, set[str]] = defaultdict(set)
    causes: dict[str, set[str]] = defaultdict(set)
    for event in world.said:
        meta = event["meta"]
        events[meta["event_id"]].add(name(_content(event)))
        causes[meta["event_id"]].add(f"{meta['causation_id']} after {meta['hops']} hops, traced by {meta['trace_id']}")
    kept = [key.rpartition("/")[2].removesuffix(".json") for key in world.blobs.keys("journal/")]
    assert len(kept) == len(set(kept)), "an event is in the journal twice"
    return End(
        tree={path: name(content) for path, content in files.items()},
        commits=commits,
        events={key: frozenset(contents) for key, contents in events.items()},
        causes={key: frozenset(found) for key, found in causes.items()},
        journal=frozenset(kept),
        notices=Counter(notice.key for notice in world.channel.sent),
        loose=list(_loose(world.tables)),
        dead=[delivery.queue for delivery in world.dead],
    )


def _content(event: Mapping[str, Any]) -> str:
    """What must be the same whenever it is said. A scan that is repeated may see more than the first one did."""
    seen = {} if event["type"] == ScanCompletedV1.TYPE else event["data"]
    return json.dumps({"type": event["type"], "correlation": event["meta"]["correlation_id"], "data": seen})


def _namer(world: World) -> Callable[[str], str]:
    """Replaces each commit id by what the commit is.

    At which commit a goal that waited became due depends on who else was faster; what it waited for is in it.
    """
    names = {commit.id: commit.message.partition("\n")[0] for commit in world.repository.history()}
    waited: dict[str, str] = {}
    for event in world.said:
        if event["type"] == GoalDueV1.TYPE and event["data"]["trigger"] == Trigger.DEPENDENCY:
            waited[event["data"]["attempt"]] = commit = event["data"]["commit"]
            assert world.repository.file(commit, "artifacts/index/list.md") == b"index\n"

    def name(text: str) -> str:
        for attempt, commit in waited.items():
            if attempt in text:
                text = text.replace(commit, f"[what {attempt} waited for]")
        return _COMMIT.sub(lambda found: names.get(found[0], found[0]), text)

    return name


def _loose(tables: Mapping[str, InMemoryRows]) -> Iterator[str]:
    for service, table in tables.items():
        for (kind, key), (_, text) in table.items.items():
            row = json.loads(text)
            if row.get("closed"):
                # Its result is reported: nobody asks any more whether its beginning was said.
                continue
            yield from (f"{service}: {kind} {key} is not {flag}" for flag in _PROMISES if row.get(flag) is False)
