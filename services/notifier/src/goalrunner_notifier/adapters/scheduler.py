"""Alarms as one-shot schedules of EventBridge Scheduler."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from goalrunner_shared.aws import trouble_is_transient
from goalrunner_shared.clock import Clock, system_clock

# An instant that has passed when the call arrives is refused.
SOONEST = timedelta(seconds=2)


class SchedulerAlarms:
    """Schedules that send into the queue of this ARN; `now` is the real time, never the domain's clock."""

    def __init__(self, *, queue: str, role: str, client: Callable[[], Any], now: Clock = system_clock) -> None:
        self._queue = queue
        self._role = role
        self._client = client
        self._now = now

    @trouble_is_transient()
    def set(self, name: str, *, after: timedelta, message: Mapping[str, object]) -> None:
        client = self._client()
        try:
            client.create_schedule(
                Name=name,
                ScheduleExpression=f"at({_whole_second(self._now() + max(after, SOONEST)):%Y-%m-%dT%H:%M:%S})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={"Arn": self._queue, "RoleArn": self._role, "Input": json.dumps(message)},
            )
        except client.exceptions.ConflictException:
            # The alarm of this generation is already set.
            return


def _whole_second(instant: datetime) -> datetime:
    """Rounded up: an alarm never rings early."""
    return instant + timedelta(microseconds=-instant.microsecond % 1_000_000)
