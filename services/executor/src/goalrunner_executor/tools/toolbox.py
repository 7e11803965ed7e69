"""The tools that one run has, by what its goal names."""

from collections.abc import Callable, Mapping

from goalrunner_executor.ports import Run
from goalrunner_executor.tools.files import file_tools
from goalrunner_executor.tools.process import Surroundings
from goalrunner_executor.tools.shell import shell_tools
from goalrunner_executor.tools.tool import Tool
from goalrunner_shared.errors import PermanentError

GROUPS: Mapping[str, Callable[[Run, Surroundings], tuple[Tool, ...]]] = {"files": file_tools, "shell": shell_tools}
# A goal that names none gets what cannot start a program.
DEFAULT = ("files",)


def tools_for(run: Run, surroundings: Surroundings) -> dict[str, Tool]:
    """The tools by name; PermanentError where the goal names one that does not exist here."""
    wanted = run.job.tools or DEFAULT
    missing = [name for name in wanted if name not in GROUPS]
    if missing:
        raise PermanentError(
            f"the tool {missing[0]!r} is not available here; tools in {run.job.path} may name {', '.join(GROUPS)}"
        )
    return {tool.name: tool for name in dict.fromkeys(wanted) for tool in GROUPS[name](run, surroundings)}
