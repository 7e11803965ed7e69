"""What can go wrong with the goals repository beyond the port's own two errors, and how its addresses are shown."""

import re

from goalrunner_shared.errors import PermanentError, TransientError

_USERINFO = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s'\"]*@", re.IGNORECASE)
_QUERY_SECRET = re.compile(r"([?&][^=&\s]*(?:token|secret|password|key)[^=&\s]*=)[^&\s'\"]+", re.IGNORECASE)


class ObjectMissing(TransientError):
    """A commit or blob that this mirror does not hold (yet): fetch, then ask again."""


class DraftRefused(PermanentError):
    """A draft that may not be committed as it stands: a path outside the tree, through a link, or over a folder."""


class GitFailed(TransientError):
    """git ended with a status that its caller did not expect; the text is its own words, without credentials."""


def without_credentials(text: str) -> str:
    """The text with user names, passwords and tokens taken out of every URL in it."""
    return _QUERY_SECRET.sub(r"\1***", _USERINFO.sub(r"\1***@", text))


def one_line(words: str) -> str:
    """What git or the remote said, as one line that may be shown: prefixes, blank lines and credentials gone."""
    lines = (re.sub(r"^(remote:|fatal:|error:)\s*", "", line).strip() for line in words.splitlines())
    return without_credentials("; ".join(line for line in lines if line))
