"""The cloud that a local Goalrunner runs on: an endpoint that speaks AWS, and clients for it."""

import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from goalrunner_local.emulator import REGION
from goalrunner_shared.errors import InputError

ACCOUNT = "000000000000"


@dataclass
class Cloud:
    """Clients of one endpoint; `localstack-client` knows what such an endpoint wants of a session."""

    endpoint: str
    access_key: str = "test"
    secret_key: str = "test"
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def _session(self) -> Any:
        from localstack_client.session import Session

        return Session(
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=REGION,
            localstack_host=self.endpoint.removeprefix("http://"),
        )

    def client(self, name: str) -> Any:
        """The client of a service, made once and shared by all threads."""
        if name not in self._clients:
            from botocore.config import Config

            # No proxy of the user's: the handlers get none either, and the emulator is on this machine.
            config = Config(max_pool_connections=50, retries={"mode": "standard", "max_attempts": 3}, proxies={})
            self._clients[name] = self._session.client(name, config=config)
        return self._clients[name]

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to use this cloud through plain boto3."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }


def named_cloud() -> Cloud | None:
    """The cloud at `AWS_ENDPOINT_URL` (LocalStack, say); None where nothing is named."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "").strip().rstrip("/")
    if not endpoint:
        return None
    if not endpoint.startswith("http://"):
        raise InputError(f"AWS_ENDPOINT_URL is {endpoint}: name an emulator on this machine, http://127.0.0.1:4566 say")
    return Cloud(
        endpoint,
        access_key=os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        secret_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
    )
