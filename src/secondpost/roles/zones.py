"""What DNS must say, and says: for `init` and `check`. DNS is asked here, beside a service or without."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import StsPolicyAnswer
from secondpost.protocols.mta_sts import POLICY_OCTETS_MAX, policy_url
from secondpost.roles.authoritative import Authoritative
from secondpost.roles.certificate_look import certificate_paths
from secondpost.setup.diagnosis import Diagnosis
from secondpost.setup.duties import examine_duties
from secondpost.setup.examine_dns import examine
from secondpost.setup.facts import DkimKey, Facts, authority_of, authority_to_come, look_around
from secondpost.setup.records import WantedRecord
from secondpost.setup.visible import still_missing
from secondpost.setup.wanted import records_wanted
from secondpost.world.asking import PolicyReader, ZoneAnswerer, drive, within, zones_from
from secondpost.world.ports import Fetcher, FetchError
from secondpost.world.real.certificate_key import certificate_key
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.fetch import RealFetcher
from secondpost.world.real.interfaces import interface_addresses
from secondpost.world.real.keys import dkim_records

EXAMINE_SECONDS_MAX = 45.0  # for all questions together, even if nothing answers
LOOK_SECONDS_MAX = 20.0  # the same, for one look at what is visible
POLICY_SECONDS_MAX = 10.0  # to fetch one policy


def facts_of_machine(config: Config) -> Facts:
    """What is known without DNS. The certificate may be readable for root alone: call it before
    becoming the owner of the store.
    """
    paths = certificate_paths(config)
    key = None if paths is None else certificate_key(paths[0])
    if key is None:
        return Facts(public_addresses(config), authority=authority_to_come(config))
    return Facts(public_addresses(config), key.digest, authority_of(key.issuer))


def public_addresses(config: Config) -> tuple[str, ...]:
    """Those that the configuration names; otherwise the interfaces' own, IPv4 first."""
    if len(config.addresses) > 0:
        return config.addresses
    found = [ip_address(address) for address in interface_addresses()]
    chosen = [address for address in found if address.is_global and not address.is_multicast]
    return tuple(str(each) for each in sorted(chosen, key=lambda each: (each.version, int(each))))


def own_keys(config: Config) -> tuple[DkimKey, ...]:
    """Raises KeyFault while there are no keys, and DiskFailed."""
    return tuple(DkimKey(record.selector, record.text) for record in dkim_records(config.store, config.dkim))


async def needed_records(config: Config, known: Facts) -> tuple[WantedRecord, ...]:
    """Every record to publish, in the order in which to do it. Raises KeyFault and DiskFailed."""
    keys = own_keys(config)
    async with _asked(config, EXAMINE_SECONDS_MAX) as answerer:
        return records_wanted(config, keys, await drive(look_around(config, known), answerer))


async def examine_dns(config: Config, known: Facts) -> tuple[Diagnosis, ...]:
    """Raises KeyFault while there are no keys, and DiskFailed."""
    keys = own_keys(config)
    async with _asked(config, EXAMINE_SECONDS_MAX) as answerer:
        return await drive(examine(config, keys, known), answerer)


async def look_at_duties(config: Config) -> list[Diagnosis]:
    """What DNS says of a sender's duties. Raises KeyFault while there are no keys, and DiskFailed."""
    keys, known = own_keys(config), Facts(public_addresses(config))
    async with _asked(config, EXAMINE_SECONDS_MAX) as answerer:
        return await drive(examine_duties(config, keys, known), answerer)


async def records_missing(config: Config, records: tuple[WantedRecord, ...]) -> tuple[WantedRecord, ...]:
    """The records that are not visible yet. No cache is used: the name servers of each zone are asked,
    and the configured ones only where those do not answer.
    """
    async with _asked(config, LOOK_SECONDS_MAX) as configured:
        direct = Authoritative(configured, RealDice())
        try:
            return await drive(still_missing(records), within(LOOK_SECONDS_MAX, direct.answer))
        finally:
            direct.close()


@asynccontextmanager
async def _asked(config: Config, seconds: float) -> AsyncIterator[ZoneAnswerer]:
    resolver = RealResolver(config.dns.servers, RealDice())
    fetcher = RealFetcher(
        resolver, allow_private=config.fetch.allow_private, total_seconds=POLICY_SECONDS_MAX
    )
    try:
        yield within(seconds, zones_from(resolver, policies_from(fetcher)))
    finally:
        resolver.close()


def policies_from(fetcher: Fetcher) -> PolicyReader:
    """A function that fetches a domain's MTA-STS policy as senders do (RFC 8461 §3.3): by HTTPS with a
    valid certificate, without redirects, as text/plain, of bounded size.
    """

    async def read(domain: Domain) -> StsPolicyAnswer:
        url = policy_url(domain.name)
        try:
            fetched = await fetcher.get(url, {}, POLICY_OCTETS_MAX)
        except FetchError as error:
            return StsPolicyAnswer(problem=str(error))
        kind = fetched.headers.get("content-type", "").partition(";")[0].strip().lower()
        if len(fetched.redirects) > 0:
            return StsPolicyAnswer(problem=f"{url} redirects to {fetched.url}, where no sender follows")
        if fetched.status != 200:
            return StsPolicyAnswer(problem=f"{url} answers {fetched.status}")
        if kind != "text/plain":
            return StsPolicyAnswer(problem=f"{url} is {kind or 'of no named type'}, not text/plain")
        return StsPolicyAnswer(fetched.body.decode("utf-8", "replace"))

    return read
