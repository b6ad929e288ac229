"""The fetch role: everything that goes to the web; it reads hostile documents, and has no store."""

from typing import TYPE_CHECKING

from secondpost.config.records import Config
from secondpost.protocols.post_questions import PostAccepted, PostNotAccepted, PostOutcome
from secondpost.roles.acme_orders import AcmeOrders
from secondpost.roles.parts import CERTIFICATES, FEEDS, POSTS, REGISTER, SERVICES, Parts
from secondpost.roles.web_services import WebServices
from secondpost.watch.reach.register_reading import RegisterReading
from secondpost.world.background import BackgroundTasks
from secondpost.world.ports import Fetcher, FetchError, Listening, Poster
from secondpost.world.sockets.certificates import certificate_door
from secondpost.world.sockets.feeds import FeedAnswerer
from secondpost.world.sockets.posts import post_door
from secondpost.world.sockets.register import register_door
from secondpost.world.sockets.services import service_door

if TYPE_CHECKING:
    from secondpost.newsletter.fetching import ParseFeed

SHOWN_CHARACTERS = 200  # of an address, in the texts of a Fetcher


class FetchRole:
    """Answers the publish role's questions about feeds, posts to the webhook what the deliver role hands
    it, gets the certificate that it orders, asks web services what it asks, and searches a register.
    """

    def __init__(
        self,
        parts: Parts,
        fetcher: Fetcher,
        poster: Poster,
        hubs: Poster | None = None,
        orders: AcmeOrders | None = None,
        services: WebServices | None = None,
        register: RegisterReading | None = None,
        parse: "ParseFeed | None" = None,
    ) -> None:
        """`poster`: to the webhook. `hubs`: to the hubs of feeds; None: none are asked. `orders`: of the
        server's own certificate; None if it is not got by ACME. `services` and `register`: None if the
        configuration wants none asked. `parse`: of feeds; None: in a thread.
        """
        self._config = parts.config
        self._world = parts.world
        self._fetcher = fetcher
        self._poster = poster
        self._hubs = hubs
        self._orders = orders
        self._services = services
        self._register = register
        self._parse = parse
        self._background = BackgroundTasks(parts.failed)
        self._feeds: FeedAnswerer | None = None
        self._doors: list[Listening] = []

    async def start(self) -> None:
        net, disk = self._world.net, self._world.disk
        if len(self._config.newsletters) > 0:
            from secondpost.newsletter.fetching import FeedFetching, parse_in_line

            parse = self._parse if self._parse is not None else parse_in_line(self._world.work)
            look = FeedFetching(self._fetcher, parse, self._hubs).look
            self._feeds = FeedAnswerer(look, self._background.run)
            self._doors.append(await self._feeds.open(net, disk.path(FEEDS)))
        if self._config.alarms.webhook is not None:
            posts = post_door(self._post, self._background.run)
            self._doors.append(await posts.open(net, disk.path(POSTS)))
        if self._orders is not None:
            certificates = certificate_door(self._orders.obtain, self._background.run)
            self._doors.append(await certificates.open(net, disk.path(CERTIFICATES)))
        if self._services is not None:
            services = service_door(self._services.ask, self._background.run)
            self._doors.append(await services.open(net, disk.path(SERVICES)))
        if self._register is not None:
            register = register_door(self._register.search, self._background.run)
            self._doors.append(await register.open(net, disk.path(REGISTER)))

    async def _post(self, body: str) -> PostOutcome:
        return await post_to_webhook(self._config, self._poster, body)

    def rest(self) -> None:
        """It begins nothing by itself."""

    async def hand_over(self) -> None:
        self._close_doors()
        if self._feeds is not None:
            await self._feeds.finish()
        if self._orders is not None:
            await self._orders.finish()

    async def drain(self) -> None:
        self._close_doors()
        if self._orders is not None:
            self._orders.stop()
        self._background.cancel()

    def _close_doors(self) -> None:
        while len(self._doors) > 0:
            self._doors.pop().close()


async def post_to_webhook(config: Config, poster: Poster, body: str) -> PostOutcome:
    """Post to the address of the configuration."""
    url = config.alarms.webhook
    if url is None:
        return PostNotAccepted("the configuration names no webhook")
    headers = {"content-type": "application/json"}
    try:
        answer = await poster.post(url, headers, body.encode("utf-8"))
    except FetchError as error:  # its text may name the address, which works like a password
        return PostNotAccepted(str(error).replace(url[:SHOWN_CHARACTERS], "the webhook"))
    if 200 <= answer.status < 300:
        return PostAccepted()
    return PostNotAccepted(f"the webhook answers {answer.status}")
