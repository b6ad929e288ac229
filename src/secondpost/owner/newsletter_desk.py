"""The store and the services that the owner's newsletter views and commands use."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from secondpost.config.records import Newsletter
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.newsletter.publish import Publisher
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.subscribers.signup import SignUps
from secondpost.world.ports import Clock

if TYPE_CHECKING:
    from secondpost.newsletter.render import DigestRenderer


@dataclass(frozen=True, slots=True)
class OpenNewsletter:
    store: NewsletterStore
    clock: Clock
    publisher: Publisher
    renderer: "DigestRenderer"
    sign_ups: SignUps
    prove: Callable[[], Awaitable[None]]  # looks at DNS if an issue would wait for it
    news: StandingAlarms  # what the owner is to hear of by mail, too; stated when the command ends

    async def look(self, newsletter: Newsletter) -> None:
        """Read the feeds, and DNS if an issue would wait for it."""
        await self.publisher.fetch(newsletter)
        await self.prove()
