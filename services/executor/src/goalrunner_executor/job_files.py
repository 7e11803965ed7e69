"""The objects of a step in the bucket: `jobs/<attempt>/<step>/…`.

Whatever a late twin could overwrite carries the invocation's fence in its name; the row says which one counts.
"""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from goalrunner_events import Artifact, StepReadyV1, StepResult
from goalrunner_shared.blobs import Blobs
from goalrunner_shared.errors import TransientError


class Checkpoint(BaseModel):
    """`state` is the engine's own, as UTF-8 text (None: it has saved none); `artifacts` is what lay in `out` then."""

    model_config = ConfigDict(frozen=True)

    state: bytes | None = None
    artifacts: tuple[Artifact, ...] = ()


@dataclass(frozen=True)
class JobFiles:
    """Reads and writes one step's objects."""

    blobs: Blobs
    attempt: str
    step: str

    def key(self, name: str) -> str:
        return f"jobs/{self.attempt}/{self.step}/{name}"

    def keep_input(self, ready: StepReadyV1) -> None:
        """The first one counts: a repeat of the event changes nothing."""
        self.blobs.put_new(self.key("input.json"), ready.model_dump_json().encode())

    def input(self) -> StepReadyV1:
        return StepReadyV1.model_validate_json(self._read(self.key("input.json")))

    def put_checkpoint(self, checkpoint: Checkpoint, *, fence: int, number: int) -> str:
        return self._put(f"checkpoint-{fence}-{number}.json", checkpoint.model_dump_json().encode())

    def checkpoint(self, key: str | None) -> Checkpoint:
        return Checkpoint.model_validate_json(self._read(key)) if key else Checkpoint()

    def put_result(self, result: StepResult, *, fence: int) -> str:
        if result.output:
            self._put("output.txt", result.output.encode("utf-8", "replace"))
        return self._put(f"result-{fence}.json", result.model_dump_json().encode())

    def result(self, key: str) -> StepResult:
        return StepResult.model_validate_json(self._read(key))

    def put_transcript(self, lines: bytes, *, fence: int) -> None:
        self._put(f"transcript-{fence}.jsonl", lines)

    def _put(self, name: str, content: bytes) -> str:
        key = self.key(name)
        self.blobs.put(key, content)
        return key

    def _read(self, key: str) -> bytes:
        content = self.blobs.get(key)
        if content is None:
            raise TransientError(f"no object at {key}")
        return content
