"""`make bench`: what it costs, as ratios within one run. Absolute times say more about the machine than about us."""

import sys
from collections.abc import Callable

from tests.bench import cold_start, git_bench, pipeline, scan_bench

PARTS: dict[str, Callable[[], None]] = {
    "cold": cold_start.main,
    "pipeline": pipeline.main,
    "scan": lambda: scan_bench.main(()),
    "git": lambda: git_bench.main(()),
}


def main() -> None:
    """Print every part, or those that are named."""
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
        print(flush=True)


main()
