"""Real nginx, Apache and Caddy with the configuration that `init` shows, in front of a page that echoes."""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

from bench import peers
from bench.ready import free_port
from secondpost.setup.proxies import CERTBOT, Proxy, snippet
from tests.world.certificates import make_pair

HOST: Final = "pages.example"
SECONDS_MAX: Final = 30.0

NGINX: Final = """
daemon off;
error_log stderr;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {snippet};
}}
"""
APACHE: Final = """
ServerRoot {folder}
ServerName {host}
PidFile {folder}/pid
ErrorLog /dev/stderr
User nobody
Group nogroup
Listen 127.0.0.1:{https}
Listen 127.0.0.1:{http}
{modules}
Include {snippet}
"""
APACHE_MODULES: Final = ("mpm_event", "authz_core", "alias", "ssl", "proxy", "proxy_http")
CADDY: Final = """
{{
    admin off
    local_certs
    skip_install_trust
    http_port {http}
    https_port {https}
}}
import {snippet}
"""


class Echo(BaseHTTPRequestHandler):
    """Answers with what it was asked: the host and the addresses that the server in front forwarded."""

    def do_GET(self) -> None:
        forwarded = ",".join(self.headers.get_all("X-Forwarded-For", []))
        body = json.dumps([self.path, self.headers["Host"], forwarded]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Front:
    http: int
    https: int

    def asked(self, path: str) -> list[str]:
        """Ask for a page by HTTPS, with a forged address; path, host and addresses that reached it."""
        _, _, body = _get(self.https, path, is_encrypted=True)
        shown: list[str] = json.loads(body)
        return shown

    def redirected(self, path: str) -> tuple[int, str]:
        """Ask for a page by HTTP; the status, and where it leads."""
        status, location, _ = _get(self.http, path, is_encrypted=False)
        return status, location


def _get(port: int, path: str, *, is_encrypted: bool) -> tuple[int, str, bytes]:
    with socket.create_connection(("127.0.0.1", port), SECONDS_MAX) as plain, ExitStack() as ends:
        line = plain
        if is_encrypted:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            line = ends.enter_context(context.wrap_socket(plain, server_hostname=HOST))
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nX-Forwarded-For: 192.0.2.66\r\nConnection: close\r\n\r\n"
        )
        line.sendall(head.encode())
        answer = HTTPResponse(line)
        answer.begin()
        return answer.status, answer.headers.get("Location", ""), answer.read()


@contextmanager
def echoing() -> Iterator[str]:
    """Serve the page; yields its address and port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(SECONDS_MAX)


@contextmanager
def in_front(proxy: Proxy, folder: Path, door: str) -> Iterator[Front]:
    """Run the real web server with its snippet; only ports and the certificate are this test's."""
    front = Front(free_port(), free_port())
    pair = make_pair(folder, HOST)
    text = snippet(proxy, HOST, door).text
    for ours, theirs in (
        (f"{CERTBOT}/{HOST}/fullchain.pem", pair.certificate),
        (f"{CERTBOT}/{HOST}/privkey.pem", pair.key),
        ("listen [::]:443 ssl;", ""),
        ("listen [::]:80;", ""),
        ("listen 443 ssl;", f"listen 127.0.0.1:{front.https} ssl;"),
        ("listen 80;", f"listen 127.0.0.1:{front.http};"),
        ("<VirtualHost *:443>", f"<VirtualHost *:{front.https}>"),
        ("<VirtualHost *:80>", f"<VirtualHost *:{front.http}>"),
    ):
        text = text.replace(ours, theirs)
    path = folder / "snippet"
    path.write_text(text)
    command, check = _command(proxy, folder, path, front)
    peer = peers.find(proxy.value)
    environment = {**peer.environment, "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    subprocess.run(check, env=environment, check=True, capture_output=True, timeout=SECONDS_MAX)
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        _wait_until_open(front, process, folder / "output")
        yield front
    finally:
        process.terminate()
        process.wait(SECONDS_MAX)


def _command(proxy: Proxy, folder: Path, path: Path, front: Front) -> tuple[Sequence[str], Sequence[str]]:
    """What runs the web server, and what only checks its configuration."""
    peer, main = peers.find(proxy.value), folder / "main.conf"
    names = {"folder": folder, "snippet": path, "host": HOST, "http": front.http, "https": front.https}
    match proxy:
        case Proxy.NGINX:
            main.write_text(NGINX.format(**names))
            run = [str(peer.file("usr/sbin/nginx")), "-p", str(folder), "-e", "stderr", "-c", str(main)]
            return run, [*run, "-t"]
        case Proxy.APACHE:
            modules = [
                f"LoadModule {name}_module {peer.file(f'usr/lib/apache2/modules/mod_{name}.so')}"
                for name in APACHE_MODULES
            ]
            main.write_text(APACHE.format(**names, modules="\n".join(modules)))
            run = [str(peer.file("usr/sbin/apache2")), "-f", str(main)]
            return [*run, "-D", "FOREGROUND"], [*run, "-t"]
        case Proxy.CADDY:
            main.write_text(CADDY.format(**names))
            words = ["--config", str(main), "--adapter", "caddyfile"]
            program = str(peer.file("usr/bin/caddy"))
            return [program, "run", *words], [program, "validate", *words]


def _wait_until_open(front: Front, process: subprocess.Popen[bytes], output: Path) -> None:
    end = time.monotonic() + SECONDS_MAX
    while time.monotonic() < end and process.poll() is None:
        try:
            _get(front.https, "/", is_encrypted=True)
            return
        except (OSError, HTTPException):
            time.sleep(0.1)
    raise AssertionError(f"the web server does not answer: {output.read_text()[-2000:]}")
