"""A newsletter as the bench runs it: a blog on loopback, a list of readers, an issue that leaves at once."""

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
    """Its feed, on a free port of 127.0.0.1."""

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
    """How readers are spread."""

    domains: int
    have_servers_of_their_own: bool  # each domain at an address of its own, else all at one


def configuration(feed_url: str, web_port: int, readers_port: int, crowd: Crowd) -> str:
    """The part of secondpost.toml that makes a newsletter of it. All servers of readers have one port."""
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
    """A list to import: so many readers, over so many domains in turn."""
    with open(path, "w", encoding="ascii") as lines:
        lines.write("email,name\n")
        for number in range(readers):
            lines.write(f"reader.{number}@{domain_name(number % domains)},Reader {number}\n")


class NotSent(Exception):
    """The issue did not reach every reader; the text is what is known of it."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """An issue to so many readers; `server` runs with `configuration`."""

    server: Secondpost
    readers: int

    def import_readers(self, domains: int) -> None:
        path = self.server.folder / "readers.csv"
        write_readers(path, self.readers, domains)
        told = json.loads(
            self.server.run("subscribers", "import", str(path), "--confirmed", "in the bench", "--json")
        )
        if told["added"] != self.readers:
            raise NotSent(f"of {self.readers} readers {told['added']} were imported")

    def send(self) -> None:
        """It is frozen when this returns, and begins to leave."""
        told = json.loads(self.server.run("issue", "send", "--json"))
        if not told["sent"] or told["readers"] != self.readers:
            raise NotSent(str(told))

    def check(self) -> None:
        """Every reader has it, and it is written down."""
        told = json.loads(self.server.run("issue", "status", "--json"))
        if told["delivered"] != self.readers or told["planned"] != self.readers:
            raise NotSent(str(told))
