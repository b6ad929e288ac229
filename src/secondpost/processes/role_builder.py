"""The roles of one process, built from their parts.

Modules that only one role needs are imported where that role is built, so that the other processes
do not hold them in memory.
"""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from socket import socket
from typing import TYPE_CHECKING

from secondpost.mail.address import Endpoint
from secondpost.mail.alarm import AlarmKind
from secondpost.maillog import MailLog
from secondpost.processes.makers import AskedMakers, MakerProgram
from secondpost.roles.parts import Parts, Role
from secondpost.world.background import BackgroundTasks

if TYPE_CHECKING:
    from secondpost.newsletter.fetching import ParseFeed
    from secondpost.roles.deliver import NewsletterDelivery


class RoleBuilder:
    """`makers` starts the processes that sign readers' mail and parse feeds; None where the process does
    both itself.
    """

    def __init__(
        self,
        roles: Sequence[str],
        web_doors: Mapping[Endpoint, socket],
        makers: AskedMakers | None,
    ) -> None:
        self._roles = roles
        self._web_doors = web_doors
        self._makers = makers

    def built(self, parts: Parts, ends: AsyncExitStack) -> list[Role]:
        """The roles, not started yet. Raises what CANNOT_START lists, and DiskFailed."""
        built: list[Role] = []
        if "receive" in self._roles:
            from secondpost.roles.receive import ReceiveRole

            built.append(ReceiveRole(parts))
        if "deliver" in self._roles:
            from secondpost.roles.deliver import DeliverRole

            built.append(
                DeliverRole(parts, None if parts.readers is None else self._reader_delivery(parts, ends))
            )
        if parts.readers is not None and "publish" in self._roles:
            from secondpost.roles.publish import PublishRole

            built.append(PublishRole(parts))
        if "web" in self._roles and parts.config.has_web:
            built.append(self._pages(parts))
        if "fetch" in self._roles:
            built.append(self._fetch(parts, ends))
        return built

    def _reader_delivery(self, parts: Parts, ends: AsyncExitStack) -> "NewsletterDelivery | None":
        from secondpost.processes.reader_process import ReaderProcess
        from secondpost.processes.report_reading import ANSWER_OCTETS_MAX, ReportReadingProcess
        from secondpost.processes.signer import SignerSetup, reader_keys
        from secondpost.processes.workshop import MailWorkshop, makers_wanted
        from secondpost.roles.deliver import newsletter_delivery, own_addresses

        config, alarms = parts.config, parts.alarms
        keys, makers = reader_keys(config.store, config.dkim), self._makers
        if makers is None:  # no supervisor: its own threads sign
            return newsletter_delivery(parts, keys)
        workshop = MailWorkshop(
            SignerSetup(config.store, config.dkim, own_addresses(config)).octets(),
            makers_wanted(),
            partial(makers.start, MakerProgram.SIGNER),
            BackgroundTasks(parts.failed).run,
            lambda why: alarms.begin(AlarmKind.MAKER_LOST, "", why),
        )
        ends.push_async_callback(workshop.close)
        process = ReaderProcess(
            partial(makers.start, MakerProgram.REPORT_READER), answer_octets_max=ANSWER_OCTETS_MAX
        )
        ends.push_async_callback(process.close)
        return newsletter_delivery(parts, keys, workshop, ReportReadingProcess(process).read)

    def _pages(self, parts: Parts) -> Role:
        from secondpost.processes.page_doors import page_doors
        from secondpost.processes.pages import WebServer, page_limits
        from secondpost.web.callers import trusted_networks
        from secondpost.web.guests import Guests

        doors = page_doors(parts, self._web_doors)
        guests = Guests(trusted_networks(parts.config.web.trusted_proxies), page_limits())
        return WebServer(doors, guests, MailLog(parts.sink), parts.failed)

    def _fetch(self, parts: Parts, ends: AsyncExitStack) -> Role:
        from secondpost.roles.acme_orders import acme_orders
        from secondpost.roles.fetch import FetchRole
        from secondpost.roles.web_services import key_reader, web_services
        from secondpost.watch.reach.register_reading import register_reading
        from secondpost.world.real.fetch import RealFetcher

        resolver = parts.world.resolver
        fetcher = RealFetcher(resolver, allow_private=parts.config.fetch.allow_private)
        # The owner chose the feeds, but a feed chooses its hub: none is asked in a private network.
        hubs = RealFetcher(resolver) if len(parts.config.newsletters) > 0 else None
        orders = acme_orders(parts) if parts.config.tls.acme is not None else None
        read_key = key_reader(parts.world.work, parts.open_file)
        services = web_services(parts.config, fetcher, read_key)
        register = register_reading(parts.config, fetcher)
        parse = self._feed_parsing(ends) if len(parts.config.newsletters) > 0 else None
        return FetchRole(parts, fetcher, fetcher, hubs, orders, services, register, parse)

    def _feed_parsing(self, ends: AsyncExitStack) -> "ParseFeed | None":
        if self._makers is None:  # no supervisor: its own threads parse
            return None
        from secondpost.processes.feed_reading import FeedReadingProcess
        from secondpost.processes.reader_process import ReaderProcess

        process = ReaderProcess(partial(self._makers.start, MakerProgram.FEED_READER))
        ends.push_async_callback(process.close)
        return FeedReadingProcess(process).read
