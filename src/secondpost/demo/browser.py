"""A minimal HTTP client for readers' browsers, mail programs and scanners.

It keeps no cookies and follows no redirects, so that each link or button must work with one
request.
"""

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlencode, urlsplit

from secondpost.demo.names import Asker

ANSWER_SECONDS = 20.0
FORM_TYPE = "application/x-www-form-urlencoded"


class NoAnswer(Exception):
    """The request got no valid HTTP response; the text has the URL."""


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    fields: dict[str, str]  # header fields by lower-case name
    text: str


@dataclass(frozen=True, slots=True)
class Browser:
    names: Asker

    async def get(self, url: str) -> Page:
        return await self._ask("GET", url, b"")

    async def head(self, url: str) -> Page:
        return await self._ask("HEAD", url, b"")

    async def post(self, url: str, form: dict[str, str]) -> Page:
        return await self._ask("POST", url, urlencode(form).encode())

    async def _ask(self, method: str, url: str, body: bytes) -> Page:
        """Send a request. Raises NoAnswer."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return _page(await self._exchange(method, url, body))
        except (OSError, ValueError) as error:
            raise NoAnswer(f"{method} {url}: {error}") from error

    async def _exchange(self, method: str, url: str, body: bytes) -> bytes:
        parts = urlsplit(url)
        address = await self._address(parts.hostname or "")
        target = parts.path + (f"?{parts.query}" if len(parts.query) > 0 else "")
        request = f"{method} {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n"
        if method == "POST":
            request += f"Content-Type: {FORM_TYPE}\r\nContent-Length: {len(body)}\r\n"
        reader, writer = await asyncio.open_connection(address, parts.port or 80)
        try:
            writer.write(request.encode() + b"\r\n" + body)
            return await reader.read(-1)
        finally:
            writer.transport.abort()

    async def _address(self, host: str) -> str:
        try:
            return str(ip_address(host))
        except ValueError:
            return await self.names.address(host)


def _page(answer: bytes) -> Page:
    """Parse a response. Raises ValueError."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Page(int(first.split(" ")[1]), fields, body.decode("utf-8", "replace"))
