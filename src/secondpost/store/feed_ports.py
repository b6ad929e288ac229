"""What is known of a newsletter's feeds, and its ports: where they are, when they are fetched, their hubs."""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class FeedPush:
    """The hub that says when a feed has changed (WebSub), and the subscription to it.

    The token is in the URL that the hub calls; with the secret it signs what it sends there. Both are "" if
    the hub was never asked.
    """

    hub: str = ""  # its URL; "": the feed offers none
    topic: str = ""  # the feed's URL, as the hub knows it
    token: str = ""
    secret: str = ""
    asked_ms: int | None = None  # when a hub of this feed was last asked to subscribe us


NO_PUSH = FeedPush()


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known of one feed of a newsletter; all fields are empty before its first fetch."""

    newsletter: str
    url: str  # as configured
    etag: str = ""  # from the last good response, with quotes; sent back unchanged
    last_modified: str = ""
    identity: str = ""  # the feed's id or self link when it was first read
    title: str = ""
    last_fetch_ms: int | None = None
    last_good_ms: int | None = None
    last_read_ms: int | None = None  # of the last document that was believed; not of a 304
    finding: str = ""  # the fault of the last fetch, in words; "" if it was good
    baseline_done: bool = False  # the articles of its first reading are in the ledger
    distrusted_guids: frozenset[str] = frozenset()  # ever given to two articles: not used any more
    left_out: str = ""  # entries that are not articles, and why, and that some may be missing; for the owner
    validators_url: str = ""  # that gave etag and last_modified, after all redirects
    # The URL at which it was last believed: that of `feeds`, or the one to which it has moved for good.
    location: str = ""  # "": not yet read
    next_fetch_ms: int | None = None  # when it is fetched next, by its rhythm; None: now
    not_before_ms: int | None = None  # its server wants no request before
    refresh_ms: int = 0  # least time between two fetches, as the feed or its server asks; 0: not stated
    push: FeedPush = NO_PUSH


class Feeds(Protocol):
    """What is recorded about feeds."""

    async def feed(self, newsletter: str, url: str) -> Feed: ...


class FeedPushes(Protocol):
    """The web role's view of feeds: what their hubs say."""

    async def feed_of_push(self, token: str) -> Feed | None:
        """The feed whose hub was given this token."""
        ...

    def note_push(self, token: str, now_ms: int, apart_ms: int) -> Awaitable[None]:
        """Have the feed fetched now, or `apart_ms` after its last fetch if that is later."""
        ...
