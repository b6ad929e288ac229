"""The routes of the web role, and the headers of every response.

  GET  /                 the newsletter, or the choice among several
  GET  /NAME/            sign-up and archive          POST  sign up
  GET  /NAME/12          an issue as it was sent
  GET  /NAME/feed.xml    the feed of the issues
  GET  /confirm/TOKEN    asks                         POST  confirms
  GET  /leave/TOKEN      asks                         POST  leaves, also by one click (RFC 8058)
  GET  /approve/SECRET   shows the issue that waits   POST  approves it
  GET  /me/TOKEN         what we keep                 POST  leave, erase
  GET  /api/websub/TOKEN  a feed's hub verifies      POST  says that the feed has changed
  GET  /health           for monitoring
  GET  /static/…         the style sheet

HEAD answers as GET does. docs/urls.md says which of these URLs are permanent.
"""

from importlib.resources import files

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from secondpost.compose.templating import Templates
from secondpost.config.records import Config, Web
from secondpost.policy.rate import PrefixRate
from secondpost.protocols.tokens import KeyRing
from secondpost.protocols.websub import CALLBACK_PATH
from secondpost.store.newsletter_store_ports import PagesStore
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.subscribers.reader_desk import ReadersDesk
from secondpost.subscribers.signup import SignUps
from secondpost.web.approval import ApprovalPages
from secondpost.web.callers import Rate, trusted_networks
from secondpost.web.content_policy import POLICY
from secondpost.web.hub_calls import HubCalls
from secondpost.web.public import SIGN_UPS_MAX, SIGN_UPS_SPAN_MS, Moved, PublicPages
from secondpost.web.reader import BAD_TOKENS_MAX, BAD_TOKENS_SPAN_MS, ReaderPages
from secondpost.web.site import Website
from secondpost.world.ports import Clock

PATH_OCTETS_MAX = 200  # longer than any path of ours
RETRY_SECONDS = "60"
STRICT_SECONDS = 365 * 24 * 3600
# Defaults; a page may set its own.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",  # the URL contains a token
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
SAID = {
    400: ("That did not work", "We could not read what the form sent. Please go back and try again."),
    404: (
        "Page not found",
        "There is no page at this address. If you followed a link in an email, part of it may be missing.",
    ),
    405: ("That does not work here", "This address does not take that kind of request."),
    408: ("That took too long", "The form did not arrive in time. Please try again."),
    413: ("That was too long", "The form sent more than we can take. Please enter your email address only."),
    415: ("That did not work", "We could not read what the form sent. Please go back and try again."),
    429: ("Please try again later", "Too many requests came from your network."),
    500: ("Something went wrong", "The mistake is ours. Please try again later."),
    503: ("Please try again in a few minutes", "We cannot answer right now."),
}


def make_app(
    config: Config,
    store: PagesStore,
    links: KeyRing,
    sign_ups: SignUps,
    desk: ReadersDesk,
    clock: Clock,
) -> Starlette:
    """The public web application. `links` is the key ring for links, and it needs no other secret; `desk`
    does what readers ask for.
    """
    site = Website(
        newsletters=config.newsletters,
        web=config.web,
        trusted=trusted_networks(config.web.trusted_proxies),
        store=store,
        templates=Templates("secondpost.web"),
    )
    public = PublicPages(
        site,
        sign_ups,
        Templates("secondpost.compose"),
        Rate(clock, PrefixRate(SIGN_UPS_MAX, SIGN_UPS_SPAN_MS)),
        Rate(clock, PrefixRate(SIGN_UPS_MAX, SIGN_UPS_SPAN_MS)),
    )
    bad_token_rate = Rate(clock, PrefixRate(BAD_TOKENS_MAX, BAD_TOKENS_SPAN_MS))
    readers = ReaderPages(site, links, sign_ups, desk, bad_token_rate)
    hubs = HubCalls(site, store, clock, bad_token_rate)
    approvals = ApprovalPages(site, store, clock, bad_token_rate)
    headers = headers_of(config.web)
    errors = _Errors(site, headers)
    style = files("secondpost.web").joinpath("static", "style.css").read_bytes()

    async def stylesheet(request: Request) -> Response:
        return Response(style, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    app = Starlette(
        routes=[
            Route("/", public.front),
            Route("/health", public.health),
            Route("/static/style.css", stylesheet),
            Route("/confirm/{token}", readers.confirm, methods=["GET", "POST"]),
            Route("/leave/{token}", readers.leave, methods=["GET", "POST"]),
            Route("/approve/{secret}", approvals.approve, methods=["GET", "POST"]),
            Route(f"{CALLBACK_PATH}{{token}}", hubs.call, methods=["GET", "POST"]),
            Route("/me/{token}", readers.me, methods=["GET", "POST"]),
            Route("/{name}", public.bare),
            Route("/{name}/", public.home, methods=["GET", "POST"]),
            Route("/{name}/feed.xml", public.feed),
            Route("/{name}/{number}", public.issue),
        ],
        exception_handlers={
            Moved: errors.moved,
            HTTPException: errors.refused,
            StoreUnavailable: errors.not_now,
            StoreFull: errors.not_now,
            Exception: errors.failed,
        },
    )
    # Redirects would use the host name that the client sent.
    app.router.redirect_slashes = False
    app.add_middleware(_Careful, headers=headers)
    return app


def headers_of(web: Web) -> dict[str, str]:
    """Headers of every response.

    Browsers that were here once return by https only (RFC 6797), as do all links in mails.
    Subdomains are not included: they may not have https.
    """
    if web.url is None or not web.url.startswith("https:"):
        return HEADERS
    return {**HEADERS, "Strict-Transport-Security": f"max-age={STRICT_SECONDS}"}


class _Errors:
    """Pages for errors."""

    def __init__(self, site: Website, headers: dict[str, str]) -> None:
        self._site = site
        self._headers = headers

    async def refused(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        return await self._page(status, dict(headers or {}))

    async def moved(self, request: Request, error: Exception) -> Response:
        """Redirect to the newsletter's new name; a POST is repeated there (RFC 9110 §15.4.9)."""
        return RedirectResponse(str(error), 308)

    async def not_now(self, request: Request, error: Exception) -> Response:
        return await self._page(503, {"Retry-After": RETRY_SECONDS})

    async def failed(self, request: Request, error: Exception) -> Response:
        # Sent by Starlette's outermost layer, so no middleware adds headers to it.
        return await self._page(500, self._headers)

    async def _page(self, status: int, headers: dict[str, str]) -> Response:
        heading, paragraph = SAID.get(status, SAID[500] if status >= 500 else SAID[400])
        page = await self._site.message_page(heading, paragraph, status=status)
        page.headers.update(headers)
        return page


class _Careful:
    """Adds headers to every response, and refuses overlong paths."""

    def __init__(self, app: ASGIApp, headers: dict[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        if len(scope["path"]) > PATH_OCTETS_MAX:
            scope = {**scope, "path": "/static/", "raw_path": b"/static/"}
        await self._app(scope, receive, sending)
