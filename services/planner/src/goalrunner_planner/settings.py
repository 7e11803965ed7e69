"""What the planner is told by its environment."""

from goalrunner_shared.settings import RepositorySettings


class PlannerSettings(RepositorySettings):
    """The shared settings and those of the goals repository; nothing of its own."""
