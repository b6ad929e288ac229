"""What other machines ask of this host at fixed addresses (RFC 8615), whatever its pages are.

  /.well-known/acme-challenge/TOKEN                          answers of challenges (RFC 8555 §8.3)
  https://mta-sts.DOMAIN/.well-known/mta-sts.txt             policies (RFC 8461 §3.2)

A host called mta-sts.DOMAIN has its policy and no pages.
"""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from secondpost.mail.own_certificate import ANSWER_OCTETS_MAX, HTTP_ANSWER_PATH, http_answer
from secondpost.protocols.mta_sts import POLICY_HOST, POLICY_PATH
from secondpost.world.ports import Disk, FileUnreadable

READING = ("GET", "HEAD")
HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

# The policy that is served for a domain, by its name in lower case; None if it has none.
PolicyOf = Callable[[str], str | None]


class WellKnown:
    """Answers for these addresses; everything else is for `behind`."""

    def __init__(self, disk: Disk, policy_of: PolicyOf, behind: ASGIApp) -> None:
        self._disk = disk
        self._policy_of = policy_of
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._response(scope) if scope["type"] == "http" else None
        await (self._behind if response is None else response)(scope, receive, send)

    def _response(self, scope: Scope) -> Response | None:
        path = str(scope["path"])
        if path.startswith(HTTP_ANSWER_PATH):
            return self._challenge(path.removeprefix(HTTP_ANSWER_PATH), scope)
        domain = policy_domain(Headers(scope=scope).get("host", ""))
        return None if domain is None else self._policy(domain, path, scope)

    def _challenge(self, token: str, scope: Scope) -> Response:
        name = http_answer(token)
        if name is None or scope["method"] not in READING:
            return _no_such_page()
        try:
            answer = self._disk.read(name, 0, ANSWER_OCTETS_MAX)
        except (FileNotFoundError, FileUnreadable):
            return _no_such_page()
        # RFC 8555 §8.3 names no type; authorities take any.
        return Response(answer, headers=HEADERS, media_type="application/octet-stream")

    def _policy(self, domain: str, path: str, scope: Scope) -> Response:
        policy = self._policy_of(domain) if path == POLICY_PATH else None
        if policy is None or scope["method"] not in READING:
            return _no_such_page()
        return PlainTextResponse(policy, headers=HEADERS)  # RFC 8461 §3.3: text/plain


def _no_such_page() -> Response:
    return PlainTextResponse("There is nothing at this address.\n", 404, HEADERS)


def policy_domain(host: str) -> str | None:
    """The domain of a policy host, as a Host field names it with or without a port; None for others."""
    name = host.rpartition(":")[0] if ":" in host else host
    name = name.lower().removesuffix(".")
    return name.removeprefix(POLICY_HOST) if name.startswith(POLICY_HOST) else None


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """The application of a server without pages."""
    await PlainTextResponse("There are no pages here.\n", 404, HEADERS)(scope, receive, send)
