"""What the owner's views and commands of newsletters work on."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
