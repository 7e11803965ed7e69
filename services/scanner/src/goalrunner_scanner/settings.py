"""What the scanner is told by its environment."""

from goalrunner_shared.settings import RepositorySettings


class ScannerSettings(RepositorySettings):
    """The shared settings, the goals repository, and the engines that can be used here, separated by commas."""

    engines: str = "claude-api,claude-code,codex,command"

    def available(self) -> frozenset[str]:
        """The engines as a set."""
        return frozenset(name.strip() for name in self.engines.split(",") if name.strip())
