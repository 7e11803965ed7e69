"""The errors of Goalrunner, by what the caller can do about them."""


class GoalrunnerError(Exception):
    """Root of everything that Goalrunner itself raises."""


class TransientError(GoalrunnerError):
    """May succeed when tried again later: raise it, the queue redelivers."""


class PermanentError(GoalrunnerError):
    """A fact about the world that no retry changes: publish the failure and acknowledge."""


class MalformedMessage(GoalrunnerError):
    """A message that nobody can read: never acknowledged, so that it ends in the dead-letter queue."""


class InputError(GoalrunnerError):
    """Something a person wrote or typed is wrong; the text is one sentence with what, where and what to type."""
