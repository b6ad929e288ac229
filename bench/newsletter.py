"""A newsletter for the bench: a blog on loopback, a list of readers, an issue sent at once."""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.ours import Secondpost

ARTICLES: Final = 4
PARAGRAPHS: Final = 2  # of each
MAIL_OCTETS: Final = 15_500  # of one reader's mail, about
PARAGRAPH: Final = (
    "The second post of the day used to come in the afternoon, and with it whatever had been written in "
    "the morning. Nobody waited for it, and everybody was glad of it: it brought the answer to a question "
    "that one had asked at breakfast, and it left the evening free. "
)


class _Feed(BaseHTTPRequestHandler):
    """The same JSON Feed at every path."""

    def do_GET(self) -> None:
        body = _feed().encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/feed+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        return


def _feed() -> str:
    articles = [
        {
            "id": f"https://blog.example/{number}",
            "url": f"https://blog.example/{number}",
            "title": f"What the postman said, part {number}",
            "summary": PARAGRAPH,
            "content_html": f"<p>{PARAGRAPH}</p>" * PARAGRAPHS,
            "date_published": f"2026-01-0{number}T09:00:00Z",
        }
        for number in range(1, ARTICLES + 1)
    ]
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "The Blog", "items": articles})


class Blog:
    """Serves the feed on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Feed)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/feed.json"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@dataclass(frozen=True, slots=True)
class Crowd:
    """How readers are spread over domains and servers."""

    domains: int
    have_servers_of_their_own: bool  # each domain has its own address, otherwise all share one


def configuration(feed_url: str, web_port: int, readers_port: int, crowd: Crowd) -> str:
    """The part of secondpost.toml for the newsletter. All readers' servers have one port."""
    routes = _route("*", f"127.0.0.1:{readers_port}")
    if crowd.have_servers_of_their_own:
        routes = "".join(
            _route(domain_name(number), f"127.0.{number // 200}.{number % 200 + 1}:{readers_port}")
            for number in range(crowd.domains)
        )
    return f"""\
[web]
url    = "http://127.0.0.1:{web_port}"
listen = ["127.0.0.1:{web_port}"]

[fetch]
allow_private = true

[send]
unverified = true

{routes}[[newsletter]]
name   = "weekly"
from   = "The Blog <newsletter@blog.example>"
feeds  = ["{feed_url}"]
start  = "everything"
settle = "0 minutes"
undo   = "0 minutes"
approve = true
"""


def _route(domain: str, host: str) -> str:
    return f"""\
[[route]]
domain = "{domain}"
lane   = "issues"
host   = "{host}"

"""


def domain_name(number: int) -> str:
    return f"readers{number}.example"


def write_readers(path: Path, readers: int, domains: int) -> None:
    """Write a list to import: `readers` addresses, distributed over `domains`."""
    with open(path, "w", encoding="ascii") as lines:
        lines.write("email,name\n")
        for number in range(readers):
            lines.write(f"reader.{number}@{domain_name(number % domains)},Reader {number}\n")


class NotSent(Exception):
    """The issue did not reach every reader; the text has the figures."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """An issue to `readers` readers; `server` runs with `configuration`."""

    server: Secondpost
    readers: int

    def import_readers(self, domains: int) -> None:
        path = self.server.folder / "readers.csv"
        write_readers(path, self.readers, domains)
        result = json.loads(
            self.server.run("subscribers", "import", str(path), "--confirmed", "in the bench", "--json")
        )
        if result["added"] != self.readers:
            raise NotSent(f"of {self.readers} readers {result['added']} were imported")

    def send(self) -> None:
        """Start an issue; on return it is frozen and begins to leave."""
        result = json.loads(self.server.run("issue", "send", "--json"))
        if not result["sent"] or result["readers"] != self.readers:
            raise NotSent(str(result))

    def check(self) -> None:
        """Check that every reader's delivery is recorded."""
        result = json.loads(self.server.run("issue", "status", "--json"))
        if result["delivered"] != self.readers or result["planned"] != self.readers:
            raise NotSent(str(result))
