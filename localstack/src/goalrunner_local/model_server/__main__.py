"""python -m goalrunner_local.model_server --port 0 --script FILE [--log FILE] [--lifeline]"""

import argparse
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from goalrunner_local.model_server.script import ScriptError, read_script
from goalrunner_local.model_server.server import ModelServer
from goalrunner_local.model_server.validation import request_type


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; exit 0 then, 2 when the script or the port cannot be used."""
    parser = argparse.ArgumentParser(prog="goalrunner_local.model_server", description="A scripted offline model.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--script", type=Path, required=True)
    parser.add_argument("--log", type=Path, help="append every request and its answer as JSON lines")
    parser.add_argument("--lifeline", action="store_true", help="end when standard input closes")
    arguments = parser.parse_args(argv)
    try:
        server = ModelServer(read_script(arguments.script), port=arguments.port, log=arguments.log)
    except (ScriptError, OSError, OverflowError) as error:
        print(f"model server: {error}", file=sys.stderr)
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    with server, suppress(KeyboardInterrupt):
        if arguments.lifeline:
            threading.Thread(target=_end_with_standard_input, daemon=True).start()
        threading.Thread(target=_load_types, daemon=True).start()
        print(f"listening on {server.url}", flush=True)
        try:
            server.serve_forever()
        finally:
            # Asked to end twice (by a signal and by the lifeline) is asked once.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return 0


def _load_types() -> None:
    """The SDK's types take seconds to load; the first request should not wait for all of it."""
    request_type("messages", streams=False, beta=False)


def _end_with_standard_input() -> None:
    """A parent that was killed must not leave its server behind."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
