"""The wait as an execution of the Step Functions state machine in `clarification.asl.json`."""

import json
from collections.abc import Callable
from typing import Any

from goalrunner_notifier.ports import Fate, TooLate, WaitOrder
from goalrunner_shared.aws import trouble_is_transient
from goalrunner_shared.errors import TransientError


class StateMachineWait:
    """Executions of the state machine `arn`; `client` is called when first needed."""

    def __init__(self, arn: str, client: Callable[[], Any]) -> None:
        self._arn = arn
        self._client = client

    @trouble_is_transient()
    def start(self, order: WaitOrder) -> Fate:
        client = self._client()
        try:
            client.start_execution(stateMachineArn=self._arn, name=order.name, input=_input(order))
        except client.exceptions.ExecutionAlreadyExists:
            fate = self.fate(order.name)
            if fate is Fate.UNKNOWN:
                # Descriptions lag behind starts by a moment.
                raise TransientError(f"the execution {order.name} exists and is not to be seen yet") from None
            return fate
        return Fate.RUNNING

    @trouble_is_transient()
    def fate(self, name: str) -> Fate:
        client = self._client()
        try:
            execution = client.describe_execution(executionArn=self._execution(name))
        except client.exceptions.ExecutionDoesNotExist:
            return Fate.UNKNOWN
        if execution["status"] == "SUCCEEDED":
            return _published(execution["output"])
        return Fate.RUNNING if execution["status"] in ("RUNNING", "PENDING_REDRIVE") else Fate.LOST

    def answer(self, token: str, detail: str) -> None:
        self._tell("send_task_success", taskToken=token, output=detail)

    def expire(self, token: str) -> None:
        self._tell("send_task_failure", taskToken=token, error="Expired")

    def beat(self, token: str) -> None:
        self._tell("send_task_heartbeat", taskToken=token)

    @trouble_is_transient()
    def _tell(self, operation: str, **told: str) -> None:
        client = self._client()
        gone = (client.exceptions.TaskDoesNotExist, client.exceptions.TaskTimedOut, client.exceptions.InvalidToken)
        try:
            getattr(client, operation)(**told)
        except gone as error:
            # Without the cause: some servers put the token into their message.
            raise TooLate(f"{operation}: {type(error).__name__}") from None

    def _execution(self, name: str) -> str:
        return f"{self._arn.replace(':stateMachine:', ':execution:')}:{name}"


def _input(order: WaitOrder) -> str:
    return json.dumps(
        {
            "question": order.question,
            "generation": order.generation,
            "timeout_seconds": order.timeout_seconds,
            "heartbeat_seconds": order.heartbeat_seconds,
            "expired": json.loads(order.expired),
            "published": {"as": "nothing"},
        }
    )


def _published(output: str) -> Fate:
    """What the publishing state noted; LOST where that is nothing."""
    noted = json.loads(output).get("published", {}).get("as")
    return Fate(noted) if noted in (Fate.ANSWERED, Fate.EXPIRED) else Fate.LOST
