"""Where mail for the backup domains comes from, and which networks cannot reach a primary."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.arrivals import OTHERS, BlockedNetwork, HourCount, NetworkOrigin, PrimaryHour, origin_of
from secondpost.owner.documents import ArrivalNetworkDocument, ArrivalsDocument, BlockedDocument
from secondpost.owner.figures import counted, utc_time
from secondpost.spool.desk import OwnersDesk
from secondpost.watch.arrivals import KEPT_HOURS
from secondpost.watch.blocks import WEEK_HOURS, seen_of, usual_a_week

DAY_HOURS = 24
NETWORKS_SHOWN = 50  # of one domain
OTHER_NETWORKS = "other networks"


@dataclass(frozen=True, slots=True)
class NetworkArrivals:
    """What came from one network for one domain."""

    domain: Domain
    network: str  # the word of its origin, or its prefix
    origin: NetworkOrigin | None
    good_day: int
    good_week: int
    usual_week: float | None  # None: not known yet
    other_week: int
    blocked: BlockedNetwork | None

    @property
    def name(self) -> str:
        if self.network == OTHERS:
            return OTHER_NETWORKS
        return self.network if self.origin is None else str(self.origin)


@dataclass(frozen=True, slots=True)
class ArrivalsFound:
    hours: int  # in which the primaries were up, of all that are kept
    networks: Sequence[NetworkArrivals]


@dataclass(frozen=True, slots=True)
class _StoredArrivals:
    """What the store has."""

    counts: Sequence[HourCount]
    hours: Sequence[PrimaryHour]
    origins: Mapping[str, NetworkOrigin]
    known: Sequence[BlockedNetwork]
    now_ms: int


async def arrivals_of(desk: OwnersDesk, config: Config) -> ArrivalsFound:
    """Blocked networks first, then those of which most good mail came."""
    now_ms, hour_ms, store = desk.clock.now_ms(), config.watch.hour_ms, desk.desk
    since_ms = now_ms - KEPT_HOURS * hour_ms
    counts, hours = await store.hour_counts(since_ms), await store.primary_hours(since_ms)
    read = _StoredArrivals(counts, hours, await store.origins(), await store.blocked_networks(), now_ms)
    domains = [backup.domain for backup in config.backups]
    found = [one for domain in domains for one in _of_domain(domain, read, hour_ms)]
    return ArrivalsFound(sum(hour.is_up for hour in hours), found)


def _of_domain(domain: Domain, read: _StoredArrivals, hour_ms: int) -> list[NetworkArrivals]:
    words = {network: origin_of(network, read.origins) for network in read.origins}
    origins = {origin.word: origin for origin in read.origins.values() if origin.number > 0}
    seen = seen_of(domain, read.counts, read.hours, words, hour_ms)
    standing = {one.origin: one for one in read.known if one.domain == domain and one.ended_ms is None}
    day, week, other = Counter[str](), Counter[str](), Counter[str]()
    for one in read.counts:
        if one.domain == domain and one.hour_ms > read.now_ms - WEEK_HOURS * hour_ms:
            word = words.get(one.network, one.network)
            week[word] += one.good
            other[word] += one.fresh + one.other
            if one.hour_ms > read.now_ms - DAY_HOURS * hour_ms:
                day[word] += one.good
    found = [
        NetworkArrivals(
            domain,
            word,
            origins.get(word),
            day[word],
            week[word],
            usual_a_week(seen, read.known, word, read.now_ms),
            other[word],
            standing.get(word),
        )
        for word in {*week, *other, *standing}
    ]
    found.sort(key=lambda one: (one.blocked is None, -one.good_week, -one.other_week, one.network))
    return found[:NETWORKS_SHOWN]


async def blocked_lines(desk: OwnersDesk) -> list[str]:
    """One line for each domain with networks that cannot reach its primary."""
    origins = {origin.word: str(origin) for origin in (await desk.desk.origins()).values()}
    networks: dict[Domain, list[str]] = {}
    for one in await desk.desk.blocked_networks():
        if one.ended_ms is None:
            networks.setdefault(one.domain, []).append(origins.get(one.origin, one.origin))
    return [
        f"BLOCKED: {counted(len(names), 'network', 'networks')} cannot reach the primary of {domain}: "
        f"{', '.join(names)}; `secondpost watch arrivals` has the figures."
        for domain, names in networks.items()
    ]


def arrivals_document(found: ArrivalsFound) -> ArrivalsDocument:
    return ArrivalsDocument(found.hours, [_document(one) for one in found.networks])


def _document(one: NetworkArrivals) -> ArrivalNetworkDocument:
    blocked = one.blocked
    return ArrivalNetworkDocument(
        domain=str(one.domain),
        network=one.network,
        name="" if one.origin is None else one.origin.name,
        country="" if one.origin is None else one.origin.country,
        good_day=one.good_day,
        good_week=one.good_week,
        usual_week=None if one.usual_week is None else round(one.usual_week, 2),
        other_week=one.other_week,
        blocked=None
        if blocked is None
        else BlockedDocument(
            since=utc_time(blocked.since_ms),
            found=utc_time(blocked.found_ms),
            last=utc_time(blocked.last_ms),
            good=blocked.good,
            authors=blocked.authors,
        ),
    )
