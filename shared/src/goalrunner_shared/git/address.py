"""Where a remote lies: a folder of this machine, or somewhere that only git's transports reach."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

_SCP_LIKE = re.compile(r"[^/\\]+:(?!//)")


def local_path(remote: str) -> Path | None:
    """The absolute folder that `remote` names; None for a URL or an ssh address such as `git@host:path`."""
    if remote.startswith("file://"):
        return Path(unquote(urlsplit(remote).path))
    if "://" in remote or "::" in remote:
        return None
    path = Path(remote).expanduser()
    return None if _SCP_LIKE.match(remote) and not path.exists() else path.absolute()


def absolute(remote: str) -> str:
    """The address as it is understood from every working folder."""
    path = local_path(remote)
    return remote if path is None or "://" in remote else str(path)
