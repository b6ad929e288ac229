"""Open what the owner's commands work on: the stores, beside a running service or without one.

Large modules that few commands need are imported where they are used.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from secondpost.config.records import Config
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.maillog import MailLog
from secondpost.owner.alarms import standing_alarms
from secondpost.owner.names import NOTHING_LEFT_BEHIND, NamesInStore, names_in_store
from secondpost.owner.newsletter_desk import OpenNewsletter
from secondpost.policy.domains import own_domains
from secondpost.protocols.alarm_statements import COMMAND as COMMAND_ROLE
from secondpost.roles.duties import DutyWatch
from secondpost.roles.parts import FEEDS, HINTS
from secondpost.roles.publish import publisher_of, renderer_of
from secondpost.spool.desk import OwnersDesk
from secondpost.store.ports import COMMAND, StoreRefused
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.store.sqlite.schema import Database
from secondpost.subscribers.signup import CrowdLog, SignUps
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.local import hint_once
from secondpost.world.real.net import RealNet
from secondpost.world.real.work import SWITCH_SECONDS, RealWork
from secondpost.world.sockets.alarms import ALARMS, AlarmReporter
from secondpost.world.sockets.feeds import FeedAsker


def has_newsletter_store(config: Config) -> bool:
    return os.path.exists(os.path.join(config.store, Database.NEWSLETTER.path_name))


async def alarms_standing(config: Config) -> list[AlarmRecord]:
    """The alarms of the service that stand; none if it was never started."""
    if not os.path.exists(os.path.join(config.store, Database.MAIL.path_name)):
        return []
    async with open_desk(config) as desk:
        return standing_alarms(await desk.desk.alarms())


async def look_at_names(config: Config) -> NamesInStore:
    """Newsletters in the store that the file does not name. The store is not migrated: in a missing
    or older one none are found.

    Raises what opening a store raises, except StoreRefused.
    """
    if not has_newsletter_store(config):
        return NOTHING_LEFT_BEHIND
    work = RealWork()
    try:
        disk, clock = RealDisk(config.store), RealClock()
        try:
            store = SqliteNewsletterStore.open_desk(disk, work, clock, failed=lambda error: None)
        except StoreRefused:
            return NOTHING_LEFT_BEHIND
        try:
            return await names_in_store(config, store)
        finally:
            store.close()
    finally:
        work.close()


@asynccontextmanager
async def open_newsletter(config: Config) -> AsyncIterator[OpenNewsletter]:
    """The owner's view of the newsletter, with or without a running service. Raises StoreRefused.

    Feeds are fetched by the fetch role, or here if none is running.
    """
    from secondpost.newsletter.fetching import FeedFetching, parse_in_line
    from secondpost.world.real.fetch import RealFetcher

    sys.setswitchinterval(SWITCH_SECONDS)
    clock, work, dice = RealClock(), RealWork(), RealDice()
    disk, net = RealDisk(config.store), RealNet()
    try:
        # A command registers as a worker, since it may lead for a moment.
        store = SqliteNewsletterStore.open(
            disk, work, clock, role=COMMAND, failed=lambda error: None, migrates=False
        )
        try:
            resolver = RealResolver(config.dns.servers, dice)
            fetcher = RealFetcher(resolver, allow_private=config.fetch.allow_private)
            asker = FeedAsker(net, disk.path(FEEDS), FeedFetching(fetcher, parse_in_line(work)).look)
            # No lines and no alarms: the command itself reports what happened.
            log = MailLog(lambda line: None)
            alarms, news = (StandingAlarms(log.alarm, clock.now_ms) for _ in range(2))
            # No hints: one is sent below, before the net is closed.
            own, ids = own_domains(config).names, store.ids
            sign_ups = SignUps(store, clock, ids, lambda: None, own, CrowdLog(log).met)
            publisher = publisher_of(config, clock, dice, store, log, alarms, asker.look)
            renderer = renderer_of(config, dice, store)
            prove = DutyWatch(config, store, clock, alarms).prove
            yield OpenNewsletter(store, clock, publisher, renderer, sign_ups, prove, news)
            if len(news.standing()) > 0:
                await AlarmReporter(net, disk.path(ALARMS), COMMAND_ROLE, news).finish()
        finally:
            net.hint(disk.path(HINTS))
            store.close()
    finally:
        work.close()
        net.close()


@asynccontextmanager
async def open_to_look(
    config: Config,
) -> AsyncIterator[tuple[OwnersDesk, SqliteNewsletterStore | None]]:
    """Both stores, to read alone and now and then: no worker is registered. The second is None if there
    never was a newsletter. Raises StoreRefused.
    """
    async with open_desk(config) as desk:
        if not has_newsletter_store(config):
            yield desk, None
            return
        work = RealWork()
        try:
            disk, clock = RealDisk(config.store), RealClock()
            store = SqliteNewsletterStore.open_desk(disk, work, clock, failed=lambda error: None)
            try:
                yield desk, store
            finally:
                store.close()
        finally:
            work.close()


@asynccontextmanager
async def open_desk(config: Config) -> AsyncIterator[OwnersDesk]:
    """The owner's view of the store, with or without a running service. Raises StoreRefused."""
    clock, work, store_disk = RealClock(), RealWork(), RealDisk(config.store)
    try:
        # Failures are raised where they occur; a command has no other work to stop.
        store = SqliteStore.open_desk(store_disk, work, clock, failed=lambda error: None)
        try:
            yield OwnersDesk(store, clock, lambda: hint_once(store_disk.path(HINTS)))
        finally:
            store.close()
    finally:
        work.close()
