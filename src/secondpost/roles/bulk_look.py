"""Gathers what the table of the rules for bulk mail is judged from: trial mails, a look at the link to
unsubscribe and at TLS, and what the store counted. Nothing is sent, and nothing is written.
"""

import asyncio
from collections.abc import Sequence

from secondpost.config.records import Config, Newsletter
from secondpost.mail.address import Mailbox
from secondpost.mail.article import Article
from secondpost.mail.daily import day_of
from secondpost.mail.issue_content import Addressee
from secondpost.mail.subscriber import NO_SUBSCRIBER
from secondpost.newsletter.publish import CannotCompose
from secondpost.newsletter.render import DigestRenderer
from secondpost.protocols.tokens import Ring
from secondpost.roles.desk import has_newsletter_store, open_to_look
from secondpost.roles.doctor import open_eyes
from secondpost.roles.leave_look import look_at_leave_link
from secondpost.route.destination import ourselves
from secondpost.setup.bulk_rules import BulkRule, RuleStanding, RuleState
from secondpost.setup.bulk_standing import (
    COUNTED_DAYS,
    COUNTED_MS,
    NOTHING_SENT,
    BulkFacts,
    MonthCounts,
    NotCounted,
    Trial,
    examine_tls_out,
    standings,
)
from secondpost.setup.diagnosis import Diagnosis
from secondpost.setup.trial_mail import TrialMail, examine_trial_mail
from secondpost.signing.assembly import Assembly, OwnAddresses, ReaderKeys
from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
from secondpost.world.asking import drive, names_from
from secondpost.world.ports import FileUnreadable
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.interfaces import interface_addresses
from secondpost.world.real.keys import load_key_ring, load_signing_keys, proves

TLS_SECONDS_MAX = 30.0  # for the whole look at TLS
TEXT = "Made up to look at the mail around it, and never sent. " * 4


async def look_at_bulk_rules(config: Config, found: Sequence[Diagnosis]) -> tuple[RuleStanding, ...]:
    """How each rule stands; none without a newsletter. `found`: of `check dns`.

    Raises KeyFault while there are no keys, and DiskFailed.
    """
    if len(config.newsletters) == 0:
        return ()
    has_begun = has_newsletter_store(config)
    counted = await _counted(config) if has_begun else NOTHING_SENT
    trials, tls, link = await asyncio.gather(
        _trials(config), _tls(config), look_at_leave_link(config) if has_begun else _nothing()
    )
    return standings(config, BulkFacts((*found, *link), trials, tls, counted))


async def _nothing() -> tuple[Diagnosis, ...]:
    return ()


async def _counted(config: Config) -> MonthCounts | NotCounted:
    """What the store counted; a store that cannot be read leaves the other rules to be shown."""
    now_ms = RealClock().now_ms()
    try:
        async with open_to_look(config) as (_, store):
            if store is None:
                return NOTHING_SENT
            days = await store.provider_days(day_of(now_ms) - COUNTED_DAYS + 1)
            return MonthCounts(days, await store.complaints_by_provider(now_ms - COUNTED_MS))
    except (StoreRefused, StoreUnavailable, StoreFull, FileUnreadable) as fault:
        return NotCounted(f"The store was not looked at: {fault}.")


async def _tls(config: Config) -> RuleStanding:
    us = ourselves(config, interface_addresses())
    async with open_eyes(config) as eyes:
        try:
            async with asyncio.timeout(TLS_SECONDS_MAX):
                return await drive(examine_tls_out(config, us), eyes.answer)
        except TimeoutError:
            text = f"No mail server answered within {TLS_SECONDS_MAX:g} seconds."
            return RuleStanding(BulkRule.TLS, RuleState.UNSEEN, text, "secondpost check delivery")


async def _trials(config: Config) -> list[Trial]:
    keys = ReaderKeys(
        load_signing_keys(config.store, config.dkim),
        load_key_ring(config.store, Ring.LINKS),
        load_key_ring(config.store, Ring.ADDRESSES),
    )
    resolver = RealResolver(config.dns.servers, RealDice())
    try:
        return [await _trial(config, one, keys, resolver) for one in config.newsletters]
    finally:
        resolver.close()


async def _trial(config: Config, newsletter: Newsletter, keys: ReaderKeys, resolver: RealResolver) -> Trial:
    now_ms = RealClock().now_ms()
    try:
        mail = await trial_mail(config, newsletter, keys, now_ms)
    except CannotCompose as fault:
        return Trial(newsletter.name, why_not=str(fault))
    faults = await drive(examine_trial_mail(mail, proves), names_from(resolver))
    return Trial(newsletter.name, faults)


async def trial_mail(config: Config, newsletter: Newsletter, keys: ReaderKeys, now_ms: int) -> TrialMail:
    """An issue with one made-up article, as a reader would get it. Raises CannotCompose."""
    article = Article("", newsletter.feeds[0], "A trial", "", f"<p>{TEXT}</p>", "", None, "")
    renderer = DigestRenderer(config.web, RealDice(), _no_title)
    rendered = await renderer.render(newsletter, None, now_ms, [article], 1)
    assembly = Assembly(rendered.content, keys, OwnAddresses(config.web.url, config.bounces))
    reader = Addressee(NO_SUBSCRIBER, 0, Mailbox("trial", config.hostname))
    return TrialMail(newsletter.name, assembly.mail_for(reader).data, now_ms // 1000)


async def _no_title(_: Newsletter) -> str:
    return ""
