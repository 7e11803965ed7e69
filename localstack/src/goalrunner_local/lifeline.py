"""Started by the emulator's own Python: runs ministack until whoever started it is gone.

Standard input is the lifeline. When it closes without a SIGTERM before, the parent was killed; then the emulator
must not stay behind on its port, so it goes at once and leaves its state unwritten.
"""

import os
import sys
import threading


def _watch() -> None:
    while os.read(0, 1):
        pass
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_watch, daemon=True).start()
    sys.argv = ["ministack"]
    from ministack.app import main

    sys.exit(main())
