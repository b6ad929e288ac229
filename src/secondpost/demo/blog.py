"""The blog: a web server on loopback with an Atom feed and a page for every article."""

import asyncio
import time
from dataclasses import dataclass, field
from html import escape

REQUEST_SECONDS = 5.0
REQUEST_OCTETS_MAX = 1 << 16

FEED = """\
<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom">
<title>Ada's blog</title>
<id>{home}/</id>
<link rel="alternate" href="{home}/"/>
<link rel="self" href="{home}/feed.xml"/>
<updated>{updated}</updated>
<author><name>Ada</name></author>
{entries}</feed>
"""

ENTRY = """\
<entry>
<title>{title}</title>
<id>{link}</id>
<link rel="alternate" href="{link}"/>
<published>{published}</published>
<updated>{published}</updated>
<content type="html">{content}</content>
</entry>
"""


@dataclass(frozen=True, slots=True)
class BlogPost:
    number: int
    title: str
    words: str
    published: str  # RFC 3339


@dataclass(slots=True)
class Blog:
    """The blog and its server. A new article is in the feed from the next fetch on."""

    name: str  # its host name in the demo's DNS
    host: str
    port: int = 0  # a free one, once it is open
    articles: list[BlogPost] = field(default_factory=list)
    server: asyncio.Server | None = None
    answering: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(self) -> None:
        self.server = await asyncio.start_server(self._answer, self.host, 0, limit=REQUEST_OCTETS_MAX)
        self.port = self.server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self.server is not None:
            self.server.close()
        for task in list(self.answering):
            task.cancel()
        await asyncio.gather(*self.answering, return_exceptions=True)

    def publish(self, title: str, words: str) -> None:
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time()))
        self.articles.append(BlogPost(len(self.articles) + 1, title, words, now))

    @property
    def home(self) -> str:
        return f"http://{self.name}:{self.port}"

    def link(self, article: BlogPost) -> str:
        return f"{self.home}/posts/{article.number}"

    def page(self, path: str) -> tuple[str, str] | None:
        """The media type and text of a page; None if there is none."""
        if path == "/feed.xml":
            return "application/atom+xml", self._feed()
        if path == "/":
            return "text/html", "<!DOCTYPE html><title>Ada's blog</title>"
        for article in self.articles:
            if path == f"/posts/{article.number}":
                return "text/html", f"<!DOCTYPE html><title>{escape(article.title)}</title>{article.words}"
        return None

    def _feed(self) -> str:
        entries = [
            ENTRY.format(
                title=escape(article.title),
                link=self.link(article),
                published=article.published,
                content=escape(f"<p>{escape(article.words)}</p>"),
            )
            for article in reversed(self.articles)
        ]
        updated = self.articles[-1].published if len(self.articles) > 0 else "2026-01-01T00:00:00Z"
        return FEED.format(home=self.home, updated=updated, entries="".join(entries))

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.answering.add(task)
        try:
            head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), REQUEST_SECONDS)
            method, path = head.decode("ascii", "replace").split(" ")[:2]
            writer.write(self._response(method, path))
            await writer.drain()
        except (OSError, EOFError, ValueError, TimeoutError, asyncio.CancelledError):
            pass  # the client is gone or sent no HTTP, or the demo ends
        finally:
            self.answering.discard(task)
            writer.close()

    def _response(self, method: str, path: str) -> bytes:
        found = self.page(path)
        status, (kind, text) = ("404 Not Found", ("text/plain", "")) if found is None else ("200 OK", found)
        body = text.encode()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        return head.encode() + (b"" if method == "HEAD" else body)
