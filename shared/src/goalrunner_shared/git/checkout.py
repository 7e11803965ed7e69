"""A work tree for an agent: the files and history of one commit, and no way back to the remote."""

import os
import shutil
from pathlib import Path

from goalrunner_shared.git.command import GitCommand
from goalrunner_shared.git.errors import GitFailed, ObjectMissing
from goalrunner_shared.git.objects import holds, object_id

# Nobody's own configuration: it could name filters (lfs), hooks and templates that would then run.
_NO_CONFIG = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "HOME": os.devnull,
    "XDG_CONFIG_HOME": os.devnull,
}
_CONFIG = """\
[core]
\thooksPath = /dev/null
\tautocrlf = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
[filter "lfs"]
\tclean =
\tsmudge =
\tprocess =
\trequired = false
[submodule]
\trecurse = false
"""


def lay_out(mirror: GitCommand, commit: str, target: Path) -> None:
    """Lay out `commit` at `target`, its objects borrowed from the mirror; FileExistsError, ObjectMissing, GitFailed."""
    if not holds(mirror, object_id(commit)):
        raise ObjectMissing(f"the mirror does not hold commit {commit}: fetch first")
    target = target.absolute()
    target.mkdir(parents=True)
    try:
        _populate(mirror.folder, commit, target)
    except (GitFailed, OSError):
        shutil.rmtree(target, ignore_errors=True)
        raise


def _populate(mirror: Path, commit: str, target: Path) -> None:
    folder = target / ".git"
    GitCommand(folder=target, env=_NO_CONFIG).check("init", "--quiet", "--template=", str(target))
    with (folder / "config").open("a", encoding="utf-8") as config:
        config.write(_CONFIG)
    (folder / "objects" / "info").mkdir(exist_ok=True)
    (folder / "objects" / "info" / "alternates").write_text(f"{mirror / 'objects'}\n", encoding="utf-8")
    if (mirror / "shallow").exists():
        shutil.copyfile(mirror / "shallow", folder / "shallow")
    (folder / "HEAD").write_text(f"{commit}\n", encoding="ascii")
    here = GitCommand(folder=target, options=(f"--git-dir={folder}", f"--work-tree={target}"), env=_NO_CONFIG)
    here.check("read-tree", "-u", "--reset", commit)
