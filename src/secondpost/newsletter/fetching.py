"""Fetch and read a feed, in the fetch role; parsing runs beside the event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from secondpost.mail.article import (
    FeedAnswered,
    FeedAsked,
    FeedGone,
    FeedRead,
    FeedUnchanged,
    FeedUnreadable,
    HubSubscription,
)
from secondpost.newsletter.feeds import DOCUMENT_OCTETS_MAX, read_feed
from secondpost.newsletter.links import absolute, header_links
from secondpost.newsletter.pushing import subscribe_form
from secondpost.newsletter.response_times import max_age, retry_after
from secondpost.world.ports import Fetched, Fetcher, FetchError, Poster, Validators, Work

ACCEPT_FIELD = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
)
PERMANENT_STATUSES = (301, 308)
BUSY_STATUSES = (429, 503)  # those with which a Retry-After is obeyed
VALIDATOR_CHARACTERS_MAX = 1_000
# RFC 9110 §15.4: with 301 and 302 too, a client may repeat the POST; 303 asks for a GET.
HUB_REDIRECT_STATUSES = (301, 302, 307, 308)
HUB_REDIRECTS_MAX = 3
HUB_SECONDS_MAX = 10.0  # with all redirects: the feeds are read one after the other
# A document, its Content-Type, and the URL that answered.
ParseFeed = Callable[[bytes, str, str], Awaitable[FeedRead | FeedUnreadable]]


def parse_in_line(work: Work) -> ParseFeed:
    """Parse in a thread of this process."""

    def parse(body: bytes, content_type: str, url: str) -> Awaitable[FeedRead | FeedUnreadable]:
        return work.run(partial(read_feed, body, content_type, url))

    return parse


class FeedFetching:
    def __init__(self, fetcher: Fetcher, parse: ParseFeed, poster: Poster | None = None) -> None:
        """`poster`: asks hubs for subscriptions; None: none are asked."""
        self._fetcher = fetcher
        self._parse = parse
        self._poster = poster

    async def look(self, asked: FeedAsked) -> FeedAnswered:
        """Fetch a feed, conditionally if validators are known. Never raises for a fault of the web.

        It is asked where it was last; if there is nothing any more, by its configured URL, which may
        lead to yet another place.
        """
        where = asked.url if len(asked.location) == 0 else asked.location
        answered = await self._look_at(where, asked)
        if where != asked.url and isinstance(answered.found, FeedUnreadable | FeedGone):
            answered = await self._look_at(asked.url, asked)
        if asked.subscription is not None and self._poster is not None:
            await _subscribe(self._poster, asked.subscription)
        return answered

    async def _look_at(self, where: str, asked: FeedAsked) -> FeedAnswered:
        validators = Validators(asked.validators_url, asked.etag, asked.last_modified)
        try:
            fetched = await self._fetcher.get(
                where, {"accept": ACCEPT_FIELD}, DOCUMENT_OCTETS_MAX, validators
            )
        except FetchError as error:
            return FeedAnswered(FeedUnreadable(f"It cannot be fetched: {error}."))
        location = _location(where, fetched)
        if fetched.status == 304:
            return FeedAnswered(
                FeedUnchanged(), asked.etag, asked.last_modified, asked.validators_url, location
            )
        if fetched.status == 410:  # RFC 9110 §15.5.11: likely to be permanent
            return FeedAnswered(FeedGone(), location=location)
        if fetched.status != 200:
            return FeedAnswered(FeedUnreadable(_refusal(fetched)), location=location, wait_ms=_wait(fetched))
        found = await self._parse(fetched.body, fetched.headers.get("content-type", ""), fetched.url)
        if isinstance(found, FeedUnreadable):
            return FeedAnswered(found, location=location)
        etag, last_modified = (_validator(fetched, name) for name in ("etag", "last-modified"))
        return FeedAnswered(_with_headers(found, fetched), etag, last_modified, fetched.url, location)


async def _subscribe(poster: Poster, asked: HubSubscription) -> None:
    """Ask a hub, or the one that it names instead. Its answer does not matter otherwise: it verifies
    later, and the feed is fetched in any case.
    """
    headers = {"content-type": "application/x-www-form-urlencoded"}
    hub = asked.hub
    with suppress(FetchError, TimeoutError):
        async with asyncio.timeout(HUB_SECONDS_MAX):
            for _ in range(1 + HUB_REDIRECTS_MAX):
                answered = await poster.post(hub, headers, subscribe_form(asked))
                there = _hub_instead(hub, answered)
                if len(there) == 0:
                    return
                hub = there


def _hub_instead(hub: str, answered: Fetched) -> str:
    """Where a hub sends its subscribers; "" if nowhere, or from https to http."""
    location = answered.headers.get("location", "")
    if answered.status not in HUB_REDIRECT_STATUSES or len(location) == 0:
        return ""
    there = absolute(location, hub)
    return there if there.startswith("https:") or not hub.startswith("https:") else ""


def _location(where: str, fetched: Fetched) -> str:
    """Where the feed is for good: the end of the permanent redirects that come before any temporary one."""
    location = where
    for redirect in fetched.redirects:
        if redirect.status not in PERMANENT_STATUSES:
            break
        location = redirect.to
    return location


def _validator(fetched: Fetched, name: str) -> str:
    value = fetched.headers.get(name, "")
    return value if len(value) <= VALIDATOR_CHARACTERS_MAX else ""


def _wait(fetched: Fetched) -> int | None:
    if fetched.status not in BUSY_STATUSES:
        return None
    return retry_after(fetched.headers.get("retry-after", ""), fetched.headers.get("date", ""))


def _with_headers(found: FeedRead, fetched: Fetched) -> FeedRead:
    """A feed with what the response says of it: how long it stays fresh, and its hub, which counts before
    that of the document (W3C WebSub §4).
    """
    refresh_ms = max(found.refresh_ms, max_age(fetched.headers.get("cache-control", "")))
    links = header_links(fetched.headers.get("link", ""))
    hub, topic = (absolute(links[name], fetched.url) if name in links else "" for name in ("hub", "self"))
    if len(hub) == 0:
        hub, topic = found.hub, topic or found.topic
    return replace(found, refresh_ms=refresh_ms, hub=hub, topic=topic or found.topic)


def _refusal(fetched: Fetched) -> str:
    match fetched.status:
        case 404:
            return f"There is no feed at this address (HTTP {fetched.status})."
        case 401 | 403:
            return f"The server refuses to show it to us (HTTP {fetched.status})."
        case 429:
            return "The server says that we read it too often (HTTP 429)."
        case status if status >= 500:
            return f"The server has a problem (HTTP {status})."
        case status:
            return f"The server answered with HTTP {status}."
