"""A web server that answers challenges from the files of a store, and nothing else."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from secondpost.mail.own_certificate import ALPN_PROTOCOL, HTTP_ANSWER_PATH, alpn_answer, http_answer
from tests.world.certificates import make_pair


@contextmanager
def answering(store: Path, http_port: int, tls_port: int) -> Iterator[None]:
    pages = ThreadingHTTPServer(("127.0.0.1", http_port), _handler(store))
    listener = socket.create_server(("127.0.0.1", tls_port))
    threads = [
        threading.Thread(target=pages.serve_forever),
        threading.Thread(target=_answer_tls, args=(listener, _context(store))),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        pages.shutdown()
        pages.server_close()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for thread in threads:
            thread.join()


def _handler(store: Path) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = http_answer(self.path.removeprefix(HTTP_ANSWER_PATH))
            try:
                body = (store / name).read_bytes() if name is not None else b""
            except FileNotFoundError:
                body = b""
            self.send_response(200 if len(body) > 0 else 404)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *words: object) -> None:
            """Say nothing."""

    return Handler


def _context(store: Path) -> ssl.SSLContext:
    pair = make_pair(store.parent, "nothing.example")
    usual = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    usual.load_cert_chain(pair.certificate, pair.key)

    def chosen(connection: ssl.SSLSocket | ssl.SSLObject, host: str | None, _: ssl.SSLContext) -> None:
        name = alpn_answer(host or "")
        if name is None or not (store / name).exists():
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(store / name, store / name)
        context.set_alpn_protocols([ALPN_PROTOCOL])
        connection.context = context

    usual.sni_callback = chosen
    usual.set_alpn_protocols([ALPN_PROTOCOL])
    return usual


def _answer_tls(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:  # it was closed
            return
        plain.settimeout(5)
        with suppress(OSError), context.wrap_socket(plain, server_side=True) as connection:
            connection.recv(1)
