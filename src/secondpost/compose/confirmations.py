"""Compose the confirmation of a queued delivery when it is attempted."""

from hashlib import sha256

from secondpost.config.records import Config, Newsletter
from secondpost.mail.delivery import Claimed
from secondpost.mail.issue_content import IssueContent
from secondpost.protocols.mime.issue_mail import SEED_OCTETS
from secondpost.store.feed_ports import Feeds
from secondpost.store.subscriber_ports import ReaderLookup


class Confirmations:
    def __init__(self, config: Config, readers: ReaderLookup, feeds: Feeds) -> None:
        from secondpost.compose.confirmation import ConfirmationComposer

        self._config = config
        self._readers = readers
        self._feeds = feeds
        self._composer = ConfirmationComposer()

    async def content(self, claimed: Claimed) -> IssueContent:
        """The mail of a delivery; the same each time, with the same Message-ID. Raises LookupError."""
        subscriber = (
            await self._readers.subscriber(claimed.subscriber) if claimed.subscriber is not None else None
        )
        newsletter = None if subscriber is None else newsletter_named(self._config, subscriber.newsletter)
        if newsletter is None:
            raise LookupError(f"{claimed.id} belongs to no newsletter of {self._config.path}")
        seed = sha256(f"confirmation {claimed.id}".encode()).digest()[:SEED_OCTETS]
        title = (await self._feeds.feed(newsletter.name, newsletter.feeds[0])).title
        return self._composer.content(newsletter, self._config.web, title, claimed.arrived_ms, seed)


def newsletter_named(config: Config, name: str) -> Newsletter | None:
    for newsletter in config.newsletters:
        if newsletter.name == name:
            return newsletter
    return None
