"""The service of tests/watch/osv over HTTP on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from secondpost.protocols.service_questions import ServiceAnswer, ServiceRequest, WebService
from tests.watch.osv import Osv

TORN = 299  # a status: the body is cut off in its middle


@contextmanager
def osv_served(osv: Osv) -> Iterator[str]:
    """The address of the service."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])))

        def do_GET(self) -> None:
            self._answer(None)

        def _answer(self, body: bytes | None) -> None:
            request = ServiceRequest(WebService.OSV, self.path, body)
            osv.asked.append(request)
            answer = osv.answer(self.path, body)
            said = answer if osv.misbehaves is None else osv.misbehaves(request, answer)
            if not isinstance(said, ServiceAnswer):
                return  # not a word
            is_torn = said.status == TORN
            self.send_response(200 if is_torn else said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body[: len(said.body) // 2] if is_torn else said.body)

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
