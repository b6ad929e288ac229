"""The store and the services that the owner's newsletter views and commands use."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    news: StandingAlarms  # what the owner is to hear of by mail, too; stated when the command ends
