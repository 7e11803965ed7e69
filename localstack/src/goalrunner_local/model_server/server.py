"""The scripted model behind HTTP, on the loopback interface only."""

import itertools
import json
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any

from goalrunner_local.model_server.api import Answer, Request, ScriptedApi
from goalrunner_local.model_server.api_error import ApiError
from goalrunner_local.model_server.events import server_sent_events
from goalrunner_local.model_server.exchange import Exchanges
from goalrunner_local.model_server.script import Script, read_script

MAX_BODY = 32 * 1024 * 1024
MAX_DRAINED = 4 * MAX_BODY


class ModelServer(ThreadingHTTPServer):
    """`url` is what a client takes as its base URL; `requests` holds every exchange so far."""

    request_queue_size = 128  # many attempts may connect at once
    daemon_threads = True
    block_on_close = False

    def __init__(self, script: Script, *, port: int = 0, log: Path | None = None) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.api = ScriptedApi(script)
        self.requests = Exchanges(log)
        self.request_ids = map("req_scripted_{:06d}".format, itertools.count(1))
        self.closing = threading.Event()
        self._open: set[Any] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Also end kept-alive connections: a closed server must not answer an old client."""
        self.closing.set()
        super().server_close()
        for request in list(self._open):
            self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError) and not self.closing.is_set():
            super().handle_error(request, client_address)


@contextmanager
def serve(script: Script | Path, log: Path | None = None, *, port: int = 0) -> Iterator[ModelServer]:
    """Serve `script` in a thread while the block runs; port 0 takes a free one."""
    with ModelServer(read_script(script) if isinstance(script, Path) else script, port=port, log=log) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ModelServer

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _handle(self) -> None:
        self.request_id = next(self.server.request_ids)
        request = Request(self.command, self.path, {name.lower(): v for name, v in self.headers.items()})
        try:
            request = Request(request.method, request.target, request.headers, self._read())
            self._send_answer(request, self.server.api.answer(request))
        except ApiError as error:
            self._send_error(request, error)

    def _read(self) -> bytes:
        length = self.headers.get("content-length", "0")
        if not length.isdecimal() or "transfer-encoding" in self.headers:
            self.close_connection = True
            raise ApiError(400, "content-length: a request needs its length in bytes")
        if (left := int(length)) <= MAX_BODY:
            return self.rfile.read(left)
        self.close_connection = True
        # A client that is still sending would see a reset connection instead of the answer.
        left = min(left, MAX_DRAINED)
        while left and (part := self.rfile.read(min(left, 1 << 20))):
            left -= len(part)
        raise ApiError(413, f"Request exceeds the maximum size of {MAX_BODY} bytes")

    def _send_answer(self, request: Request, answer: Answer) -> None:
        if self.server.closing.wait(answer.delay_s):
            self.close_connection = True
            return
        self._record(request, 200, answer.body)
        if not answer.streamed:
            self._send_json(200, answer.body)
            return
        self._send_head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        for event in server_sent_events(answer.body):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def _send_error(self, request: Request, error: ApiError) -> None:
        headers = {}
        if error.retry_after is not None:
            headers["retry-after"] = f"{error.retry_after:g}"
        if self.close_connection:
            headers["connection"] = "close"
        body = error.body(request_id=self.request_id)
        self._record(request, error.status, body)
        self._send_json(error.status, body, headers)

    def _send_json(
        self, status: int, body: Mapping[str, Any], headers: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        data = json.dumps(body).encode()
        self._send_head(status, {"content-type": "application/json", "content-length": str(len(data)), **headers})
        if self.command != "HEAD":
            self.wfile.write(data)

    def _send_head(self, status: int, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        self.send_header("request-id", self.request_id)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def _record(self, request: Request, status: int, reply: Mapping[str, Any]) -> None:
        self.server.requests.add(
            method=request.method,
            target=request.target,
            headers=request.headers,
            raw=request.raw,
            status=status,
            reply=reply,
        )
