"""An article of a blog as read from its feed, and the result of reading a feed.

These values pass from the fetch role, which parses hostile documents, to the publish role.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

TITLE_CHARACTERS_MAX = 500
SUMMARY_CHARACTERS_MAX = 2_000
HTML_CHARACTERS_MAX = 500_000
GUID_CHARACTERS_MAX = 500
CATEGORIES_MAX, CATEGORY_CHARACTERS_MAX = 50, 100
ARTICLES_MAX = 1_000  # of one document


@dataclass(frozen=True, slots=True)
class Article:
    """An article as given by its feed.

    Text fields are plain, without control characters; `html` is not trusted. Links are absolute.
    There is always a link, and a title or some text. `author` is a name, never a mail address.
    """

    guid: str  # "" if the feed gives none, or gives the same to several articles
    link: str
    title: str
    summary: str
    html: str
    author: str
    published_ms: int | None  # a hint; never used to decide whether an article is new
    fingerprint: str  # of title and text: markup does not affect it
    categories: tuple[str, ...] = ()  # as sorted by the blog; known only while the feed is read
    language: str = ""  # as stated by the feed (BCP 47); "" if it states none
    place: int = 0  # position in the feed when last seen; the first is 0
    picture: str = ""  # absolute URL of the article's picture; "" if none


@dataclass(frozen=True, slots=True)
class FeedRead:
    """A complete document that is a feed. `identity` is its id or self link, "" if it has none."""

    title: str
    identity: str
    articles: tuple[Article, ...]  # in document order, newest first or not
    home: str = ""  # URL of the page to which the feed belongs
    generator: str = ""  # the program that wrote it, as stated
    repeated_guids: frozenset[str] = frozenset()  # given to several articles of this document
    left_out: str = ""  # which entries are no articles, and why: a sentence without its full stop
    older: str = ""  # URL of the page with the articles before these (RFC 5005); "" if it names none
    refresh_ms: int = 0  # least time between two fetches, as asked for; 0: not stated
    hub: str = ""  # URL of the hub that says when it has changed (WebSub); "" if it names none
    topic: str = ""  # the feed's URL, as the hub knows it


@dataclass(frozen=True, slots=True)
class FeedUnreadable:
    """An HTML page, a truncated document or none: no information, so no article changes."""

    reason: str  # one sentence for the owner


@dataclass(frozen=True, slots=True)
class FeedGone:
    """The server says that the feed was removed for good (410)."""


@dataclass(frozen=True, slots=True)
class FeedNotLookedAt:
    """The fetch role was not available: this does not count as a fetch of the feed."""

    reason: str  # one sentence for the owner


@dataclass(frozen=True, slots=True)
class FeedUnchanged:
    """The server says that the feed is unchanged since the last fetch (304)."""


@dataclass(frozen=True, slots=True)
class HubSubscription:
    """A subscription to ask a hub for (W3C WebSub §5.1)."""

    hub: str
    topic: str
    callback: str  # URL at which the hub calls us
    secret: str  # with which it signs


@dataclass(frozen=True, slots=True)
class FeedAsked:
    """A request of the publish role to the fetch role."""

    url: str  # as configured
    etag: str = ""  # of the last good response
    last_modified: str = ""
    validators_url: str = ""  # that gave them; they are sent to no other
    location: str = ""  # where the feed was last believed; asked first. "": as `url`
    subscription: HubSubscription | None = None  # to ask a hub for besides


@dataclass(frozen=True, slots=True)
class FeedAnswered:
    found: FeedRead | FeedUnreadable | FeedGone | FeedUnchanged | FeedNotLookedAt
    etag: str = ""  # for the next request
    last_modified: str = ""
    validators_url: str = ""  # that gave them, after all redirects
    location: str = ""  # where the server says that the feed is for good; "" if there was no response
    wait_ms: int | None = None  # the server wants no request for so long (Retry-After)


FeedLook = Callable[[FeedAsked], Awaitable[FeedAnswered]]  # asks the fetch role, or acts for it
