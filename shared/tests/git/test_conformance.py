from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from goalrunner_shared.git.conformance import LINKS, MODES, START, RepositoryConformance, Rig
from goalrunner_shared.git.fake import InMemoryRepository
from goalrunner_shared.git.mirror import GitRepository

CommitTo = Callable[[Path, Mapping[str, bytes]], str]


class TestInMemoryRepository(RepositoryConformance):
    @pytest.fixture
    def rig(self) -> Rig:
        repository = InMemoryRepository({**START, **LINKS}, modes=MODES)
        return Rig(
            repository=repository,
            commit_elsewhere=repository.commit_elsewhere,
            refuse_pushes=lambda: repository.refuse_pushes("no pushes on Friday"),
        )


class TestGitRepository(RepositoryConformance):
    @pytest.fixture
    def rig(self, bare: Path, commit_to: CommitTo, repository_at: Callable[..., GitRepository]) -> Rig:
        def refuse_pushes() -> None:
            hook = bare / "hooks" / "pre-receive"
            hook.parent.mkdir(exist_ok=True)
            hook.write_text("#!/bin/sh\necho 'no pushes on Friday' >&2\necho 'ask Ann' >&2\nexit 1\n")
            hook.chmod(0o755)

        return Rig(
            repository=repository_at(bare),
            commit_elsewhere=lambda files: commit_to(bare, files),
            refuse_pushes=refuse_pushes,
        )
