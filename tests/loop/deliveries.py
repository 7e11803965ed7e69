"""Messages in queues, and the orders in which they can be delivered."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.loop.goals import NOW
from tests.loop.manifests import largest_batch


@dataclass(eq=False)
class Delivery:
    """A message in a queue; `copy` is 1 where the queue delivers a second time what it has delivered already."""

    queue: str
    body: str
    message_id: str
    copy: int = 0
    receives: int = 0

    def record(self) -> dict[str, Any]:
        """As Lambda hands it to a handler, once more."""
        self.receives += 1
        return {
            "messageId": self.message_id,
            "receiptHandle": f"{self.message_id}-{self.receives}",
            "body": self.body,
            "attributes": {"ApproximateReceiveCount": str(self.receives), "SentTimestamp": _millis(NOW)},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": f"arn:aws:sqs:eu-central-1:000000000000:{self.queue}",
        }


Choose = Callable[[Sequence[Delivery]], Sequence[Delivery]]


def in_turn(bag: Sequence[Delivery]) -> Sequence[Delivery]:
    """The straightforward order: one by one, as they came."""
    return bag[:1]


def in_batches(bag: Sequence[Delivery]) -> Sequence[Delivery]:
    """As they came, and with the first whatever waits in the same queue, as much as the function takes."""
    mine = [delivery for delivery in bag if delivery.queue == bag[0].queue]
    return mine[: largest_batch(bag[0].queue)]


def failed_first(bag: Sequence[Delivery]) -> Sequence[Delivery]:
    """In turn, but what was not handled comes again at once."""
    return in_turn([each for each in bag if each.receives] or bag)


def failed_last(bag: Sequence[Delivery]) -> Sequence[Delivery]:
    """In batches, but what was not handled comes again after all else that happens."""
    return in_batches([each for each in bag if not each.receives] or bag)


class Shuffle:
    """Draws the next batch by the bytes given; after the last byte, and for zeros, as the messages came.

    What the queue `stalled` holds comes when nothing else is left; so do all second copies where they are `late`.
    """

    def __init__(self, decisions: bytes, *, stalled: str | None, late: bool) -> None:
        self._decisions = iter(decisions)
        self._stalled = stalled
        self._late = late

    def __call__(self, bag: Sequence[Delivery]) -> Sequence[Delivery]:
        first = [each for each in bag if not (self._late and each.copy)] or bag
        ready = [each for each in first if each.queue != self._stalled] or first
        leader = ready[self._below(len(ready))]
        mates = [each for each in ready if each.queue == leader.queue and each is not leader]
        size = self._below(largest_batch(leader.queue))
        return [leader, *(mates.pop(self._below(len(mates))) for _ in range(min(size, len(mates))))]

    def _below(self, limit: int) -> int:
        return next(self._decisions, 0) % limit


def _millis(instant: datetime) -> str:
    return str(round(instant.timestamp() * 1000))
