"""The publish role: makes issues from the feeds, which the fetch role reads, and sees each to its
end.
"""

from typing import TYPE_CHECKING

from secondpost.config.records import Config, Newsletter
from secondpost.mail.article import FeedLook
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.maillog import MailLog
from secondpost.newsletter.forecast import Forecast
from secondpost.newsletter.forecasting import forecast_of
from secondpost.newsletter.links import canonical
from secondpost.newsletter.publish import Publisher
from secondpost.newsletter.reading import FeedReading
from secondpost.newsletter.turns import Turns
from secondpost.roles.duties import why_unproven
from secondpost.roles.parts import FEEDS, HINTS, Parts, opened
from secondpost.store.feed_ports import Feeds
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.subscribers.weighing import BounceWeighing
from secondpost.world.background import BackgroundTasks
from secondpost.world.ports import Clock, Dice
from secondpost.world.sockets.feeds import FeedAsker

if TYPE_CHECKING:
    from secondpost.newsletter.render import DigestRenderer


def renderer_of(config: Config, dice: Dice, feeds: Feeds) -> "DigestRenderer":
    from secondpost.newsletter.render import DigestRenderer

    async def feed_title(newsletter: Newsletter) -> str:
        return (await feeds.feed(newsletter.name, newsletter.feeds[0])).title

    return DigestRenderer(config.web, dice, feed_title)


def publisher_of(
    config: Config,
    clock: Clock,
    dice: Dice,
    store: NewsletterStore,
    log: MailLog,
    alarms: StandingAlarms,
    look: FeedLook,
) -> Publisher:
    """A publisher. `look` asks the fetch role, or acts as it."""

    async def foresee(newsletter: Newsletter) -> Forecast:
        return await forecast_of(store, config, newsletter, clock.now_ms())

    own = tuple(
        canonical(f"{config.web.url}/{newsletter.name}/feed.xml") for newsletter in config.newsletters
    )
    renderer = renderer_of(config, dice, store)
    archives = own if config.web.url is not None else ()
    reading = FeedReading(store, clock, dice, look, archives, public_url(config))
    unproven = why_unproven(config, store, clock)
    return Publisher(reading, store, clock, store.ids, renderer.compose, log, alarms, unproven, foresee)


def public_url(config: Config) -> str | None:
    """Where the hubs of feeds can call this server; None if it has no address on the public web."""
    url = config.web.url
    if url is None or (not url.startswith("https://") and not config.fetch.allow_private):
        return None
    return url


class PublishRole:
    """Publishes in turns; between two turns a command of the owner may take the lead."""

    def __init__(self, parts: Parts) -> None:
        config, world, store = parts.config, parts.world, opened(parts.readers)
        log = MailLog(parts.sink)
        asker = FeedAsker(world.net, world.disk.path(FEEDS))
        self._background = BackgroundTasks(parts.failed)
        self._turns = Turns(
            newsletters=config.newsletters,
            publisher=publisher_of(config, world.clock, world.dice, store, log, parts.alarms, asker.look),
            leading=store,
            naming=store,
            alarms=parts.alarms,
            turn_seconds=parts.rhythms.turn_seconds,
            weigh_bounces=BounceWeighing(store, world.clock, log, parts.alarms).look,
            over=lambda: world.net.hint(world.disk.path(HINTS)),
        )

    async def start(self) -> None:
        self._background.run(self._turns.run())

    def rest(self) -> None:
        self._background.cancel()

    async def hand_over(self) -> None:
        """There are no callers, and resting has ended all work."""

    async def drain(self) -> None:
        self.rest()
