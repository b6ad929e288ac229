"""Where a feed is, and what its server gave for the next request. Pure."""

from dataclasses import replace

from secondpost.mail.article import FeedAnswered, FeedRead
from secondpost.newsletter.eligible import is_in_doubt
from secondpost.newsletter.links import site
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import FetchRecord


def moved_away(feed: Feed, answered: FeedAnswered) -> str | None:
    """Why a feed that has moved for good to another host is not believed; None if it has not.

    A domain that expired leads wherever its next owner likes, so the owner of the newsletter decides.
    The first reading is that of an address just written, and goes wherever it leads.
    """
    hosts = {site(feed.location), site(feed.url)}
    if len(feed.location) == 0 or len(answered.location) == 0 or site(answered.location) in hosts:
        return None
    return (
        f"It has moved for good to {answered.location}, on another host. If that is right, write this "
        "address into `feeds` in place of the old one; the articles that wait are kept."
    )


def located(feed: Feed, answered: FeedAnswered) -> Feed:
    """The feed with its new place, after a look that was believed."""
    return feed if len(answered.location) == 0 else replace(feed, location=answered.location)


def validated(record: FetchRecord, answered: FeedAnswered) -> FetchRecord:
    """Store the validators for the next fetch after a good look only: a 304 would make a doubt
    permanent.
    """
    if is_in_doubt(record.feed):
        return replace(record, feed=replace(record.feed, etag="", last_modified="", validators_url=""))
    good = replace(
        located(record.feed, answered),
        etag=answered.etag,
        last_modified=answered.last_modified,
        validators_url=answered.validators_url,
        refresh_ms=answered.found.refresh_ms if isinstance(answered.found, FeedRead) else 0,
    )
    return replace(record, feed=good)
