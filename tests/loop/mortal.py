"""Processes that die: a fuse that kills before a side effect, and the ports that burn it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from goalrunner_shared.git.port import BuildDrafts, CommitDraft
from goalrunner_shared.once import InMemoryOnce


class Killed(BaseException):
    """What SIGKILL is to a process."""


@dataclass
class Fuse:
    """Kills before the side effects whose numbers are `deadly`; `log` names every effect, with whose it is.

    What a dead process would do next does not happen.
    """

    deadly: frozenset[int] = frozenset()
    log: list[tuple[str, str]] = field(default_factory=list)
    process: str = ""
    is_blown: bool = False

    def burn(self, effect: str) -> None:
        if not self.is_blown:
            self.log.append((self.process, effect))
            self.is_blown = len(self.log) - 1 in self.deadly
        if self.is_blown:
            raise Killed


class Mortal:
    """A port whose side effects, by method, burn the fuse before they happen."""

    def __init__(self, port: Any, fuse: Fuse, **effects: str) -> None:
        self._port, self._fuse, self._effects = port, fuse, effects

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        return self._around(method, self._effects[name]) if name in self._effects else method

    def _around(self, method: Callable[..., Any], effect: str) -> Callable[..., Any]:
        def run(*args: Any, **named: Any) -> Any:
            self._fuse.burn(effect)
            return method(*args, **named)

        return run


class MortalRepository(Mortal):
    """A repository of which a writer can die before it commits and before it pushes."""

    def write(self, build: BuildDrafts) -> Mapping[str, str]:
        def committed(tip: str) -> Sequence[CommitDraft]:
            drafts = build(tip)
            if drafts:
                self._fuse.burn("push")
            return drafts

        self._fuse.burn("commit")
        written: Mapping[str, str] = self._port.write(committed)
        return written


class MortalOnce(InMemoryOnce):
    """Its marks are rows: one before the action, one after it."""

    def __init__(self, fuse: Fuse) -> None:
        super().__init__()
        self._fuse = fuse

    def do(self, key: str, action: Callable[[], str]) -> str:
        def marked() -> str:
            done = action()
            self._fuse.burn("table write")
            return done

        self._fuse.burn("table write")
        return super().do(key, marked)
