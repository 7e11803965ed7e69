"""Objects in the bucket: what is too big for an event, and what must outlive a process."""

import hashlib
from collections.abc import Callable, Iterator
from threading import Lock
from typing import Any, Protocol

from goalrunner_events import BlobRef
from goalrunner_shared.aws import trouble_is_transient
from goalrunner_shared.errors import PermanentError, TransientError


class Blobs(Protocol):
    """Bytes by key."""

    def put(self, key: str, content: bytes) -> None:
        """Write or overwrite; TransientError."""

    def put_new(self, key: str, content: bytes) -> bool:
        """Write unless there is something already; whether it was written. TransientError."""

    def get(self, key: str) -> bytes | None:
        """The bytes; None where there is nothing. TransientError."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Every key that begins with `prefix`, in the order of its UTF-8 bytes. TransientError."""


def store(blobs: Blobs, key: str, content: bytes) -> BlobRef:
    """Put `content` and return the reference that an event may carry."""
    blobs.put(key, content)
    return BlobRef(key=key, sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def fetch(blobs: Blobs, ref: BlobRef) -> bytes:
    """The bytes that a reference promises; TransientError where missing, PermanentError where they differ."""
    content = blobs.get(ref.key)
    if content is None:
        raise TransientError(f"no object at {ref.key}")
    if hashlib.sha256(content).hexdigest() != ref.sha256:
        raise PermanentError(f"the object at {ref.key} is not the one that was referred to")
    return content


class InMemoryBlobs:
    """The fake: a dict."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self._writing = Lock()

    def put(self, key: str, content: bytes) -> None:
        self.objects[key] = content

    def put_new(self, key: str, content: bytes) -> bool:
        with self._writing:
            if key in self.objects:
                return False
            self.objects[key] = content
            return True

    def get(self, key: str) -> bytes | None:
        return self.objects.get(key)

    def keys(self, prefix: str) -> Iterator[str]:
        return iter(sorted(key for key in self.objects if key.startswith(prefix)))


class S3Blobs:
    """Objects of one bucket; `client` is called when first needed."""

    def __init__(self, bucket: str, client: Callable[[], Any]) -> None:
        self._bucket = bucket
        self._client = client

    @trouble_is_transient()
    def put(self, key: str, content: bytes) -> None:
        self._client().put_object(Bucket=self._bucket, Key=key, Body=content)

    @trouble_is_transient()
    def put_new(self, key: str, content: bytes) -> bool:
        client = self._client()
        try:
            client.put_object(Bucket=self._bucket, Key=key, Body=content, IfNoneMatch="*")
        except client.exceptions.ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "PreconditionFailed":
                return False
            if code == "ConditionalRequestConflict":
                # Another write is under way and may still fail: nobody knows yet whether there is something.
                raise TransientError(f"{key} is being written by somebody else") from error
            raise
        return True

    @trouble_is_transient()
    def get(self, key: str) -> bytes | None:
        client = self._client()
        try:
            content: bytes = client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except client.exceptions.NoSuchKey:
            return None
        return content

    def keys(self, prefix: str) -> Iterator[str]:
        pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with trouble_is_transient():
            for page in pages:
                for item in page.get("Contents", ()):
                    yield item["Key"]
