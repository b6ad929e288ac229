"""What a blog has said: one article as its feed tells it, and what came of looking at the feed.

This is what crosses from the fetch role, where hostile documents are read, to the publish role.
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
    """As the feed gives it: text fields are plain and free of control characters, `html` is not to be
    trusted. Links are absolute. At least a link, and a title or some text. `author` is a name, never a mail
    address.
    """

    guid: str  # "" when the feed gives none, or gives the same to several
    link: str
    title: str
    summary: str
    html: str
    author: str
    published_ms: int | None  # a hint, never the test of newness
    fingerprint: str  # of title and text: the same for the same words, whatever the markup
    categories: tuple[str, ...] = ()  # as the blog sorts its articles; known while the feed is looked at
    language: str = ""  # of its words, by the feed's own word (BCP 47); "" when it says none
    place: int = 0  # in its feed when it last stood there: the first is 0
    picture: str = ""  # the absolute address of the article's picture, "" when it has none


@dataclass(frozen=True, slots=True)
class FeedRead:
    """A whole document that is really a feed. `identity` is its own id or self link, "" when it has none."""

    title: str
    identity: str
    articles: tuple[Article, ...]  # as they stand in it, newest or not first
    home: str = ""  # the page that it is the feed of
    generator: str = ""  # the program that wrote it, by its own word
    repeated_guids: frozenset[str] = frozenset()  # given to several articles of this document
    left_out: str = ""  # which entries are no articles, and why: a sentence without its full stop


@dataclass(frozen=True, slots=True)
class FeedUnreadable:
    """No information: an HTML page, a torn document, no document at all. Nothing is added or removed."""

    reason: str  # one sentence for the owner


@dataclass(frozen=True, slots=True)
class FeedNotLookedAt:
    """Whoever would look is not there: that says nothing of the feed, and is not the look of this time."""

    reason: str  # one sentence for the owner


@dataclass(frozen=True, slots=True)
class FeedUnchanged:
    """The server says that it is as it was when we last looked (304)."""


@dataclass(frozen=True, slots=True)
class FeedAsked:
    """What the publish role asks of the fetch role."""

    url: str
    etag: str = ""  # of the last good answer
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class FeedAnswered:
    found: FeedRead | FeedUnreadable | FeedUnchanged | FeedNotLookedAt
    etag: str = ""  # to ask with the next time; "" when the answer came from another URL
    last_modified: str = ""


FeedLook = Callable[[FeedAsked], Awaitable[FeedAnswered]]  # asks the fetch role, or plays it
