"""What the reporter's two functions are told by their environment."""

from goalrunner_shared.settings import RepositorySettings, Settings


class ReportSettings(RepositorySettings):
    """The shared settings and those of the goals repository; nothing of its own."""


class JournalSettings(Settings):
    """The journal needs the bucket and nothing else."""
