"""What every use case of the notifier works with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from goalrunner_notifier.ports import Alarms, Channel, Notice, Wait
from goalrunner_notifier.rows import Question
from goalrunner_shared.bootstrap import Parts
from goalrunner_shared.once import Once
from goalrunner_shared.rows import change


@dataclass(frozen=True)
class Desk:
    """The ports, and the cap on how long any question waits."""

    parts: Parts
    wait: Wait
    alarms: Alarms
    channel: Channel
    once: Once
    ask_cap: timedelta | None = None

    def change(self, question: str, step: Callable[[Question], Question | None]) -> Question | None:
        """Change the row of a question unless `step` leaves it alone; the row afterwards, None without one."""
        return change(self.parts.rows, Question, question, step)

    def reply(self, notice: Notice) -> None:
        """Tell the human something that no event speaks of, once for its key."""
        self.once.do(notice.key, lambda: self.channel.send(notice))
