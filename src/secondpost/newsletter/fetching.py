"""Fetch and read a feed, in the fetch role; parsing runs beside the event loop."""

from collections.abc import Awaitable, Callable
from functools import partial

from secondpost.mail.article import FeedAnswered, FeedAsked, FeedRead, FeedUnchanged, FeedUnreadable
from secondpost.newsletter.feeds import DOCUMENT_OCTETS_MAX, read_feed
from secondpost.world.ports import Fetched, Fetcher, FetchError, Validators, Work

ACCEPT_FIELD = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"
)
# A document, its Content-Type, and the URL that answered.
ParseFeed = Callable[[bytes, str, str], Awaitable[FeedRead | FeedUnreadable]]


def parse_in_line(work: Work) -> ParseFeed:
    """Parse in a thread of this process."""

    def parse(body: bytes, content_type: str, url: str) -> Awaitable[FeedRead | FeedUnreadable]:
        return work.run(partial(read_feed, body, content_type, url))

    return parse


class FeedFetching:
    def __init__(self, fetcher: Fetcher, parse: ParseFeed) -> None:
        self._fetcher = fetcher
        self._parse = parse

    async def look(self, asked: FeedAsked) -> FeedAnswered:
        """Fetch a feed, conditionally if validators are known. Never raises for a fault of the web."""
        validators = Validators(asked.url, asked.etag, asked.last_modified)
        try:
            fetched = await self._fetcher.get(
                asked.url, {"accept": ACCEPT_FIELD}, DOCUMENT_OCTETS_MAX, validators
            )
        except FetchError as error:
            return FeedAnswered(FeedUnreadable(f"It cannot be fetched: {error}."))
        if fetched.status == 304:
            return FeedAnswered(FeedUnchanged(), asked.etag, asked.last_modified)
        if fetched.status != 200:
            return FeedAnswered(FeedUnreadable(_refusal(fetched)))
        found = await self._parse(fetched.body, fetched.headers.get("content-type", ""), fetched.url)
        # Validators of a redirect's target must not be sent to this URL.
        if isinstance(found, FeedUnreadable) or fetched.url != asked.url:
            return FeedAnswered(found)
        return FeedAnswered(found, fetched.headers.get("etag", ""), fetched.headers.get("last-modified", ""))


def _refusal(fetched: Fetched) -> str:
    match fetched.status:
        case 404 | 410:
            return f"There is no feed at its address any more (HTTP {fetched.status})."
        case 401 | 403:
            return f"The server refuses to show it to us (HTTP {fetched.status})."
        case 429:
            return "The server says that we read it too often (HTTP 429)."
        case status if status >= 500:
            return f"The server has a problem (HTTP {status})."
        case status:
            return f"The server answered with HTTP {status}."
