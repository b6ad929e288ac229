"""Port 80: it leads to https, and says so while there is no certificate for that."""

from collections.abc import Callable

from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

RETRY_SECONDS = "60"
LOCATION_OCTETS_MAX = 2_000
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
KEPT_BY_BROWSERS = {"Cache-Control": "max-age=3600"}
NO_CERTIFICATE = """\
This server has no certificate yet: it is on its way, which takes a few minutes.
Please try again then.
"""
ENCRYPTED_ONLY = "Please use an address that begins with https://\n"


class Redirects:
    """Leads every reader to the same page below `url`, the configured one.

    The host is never taken from the request: a page that was reached by another name would lead its
    readers anywhere (RFC 9110 §17.1).
    """

    def __init__(self, url: str | None, has_certificate: Callable[[], bool]) -> None:
        """`url`: None if there are no pages."""
        self._url = url
        self._has_certificate = has_certificate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._response(scope)(scope, receive, send)

    def _response(self, scope: Scope) -> Response:
        if self._url is None:
            return PlainTextResponse("There are no pages here.\n", 404, HEADERS)
        if scope["method"] not in ("GET", "HEAD"):
            # Never 308: what was sent here was sent in the clear, and must not seem to have worked.
            return PlainTextResponse(ENCRYPTED_ONLY, 405, {**HEADERS, "Allow": "GET, HEAD"})
        if not self._has_certificate():
            return PlainTextResponse(NO_CERTIFICATE, 503, {**HEADERS, "Retry-After": RETRY_SECONDS})
        return PlainTextResponse(
            "", 301, {**HEADERS, **KEPT_BY_BROWSERS, "Location": self._url + _target(scope)}
        )


def _target(scope: Scope) -> str:
    """Path and query as they were sent; "/" for what is no path: `@elsewhere.example` would become part of
    the host.
    """
    path, query = bytes(scope["raw_path"]), bytes(scope["query_string"])
    target = path + (b"?" + query if len(query) > 0 else b"")
    if not path.startswith(b"/") or len(target) > LOCATION_OCTETS_MAX or not target.isascii():
        return "/"
    return target.decode("ascii")
