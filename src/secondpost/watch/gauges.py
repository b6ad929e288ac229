"""What the stores say now, as gauges: queues, primaries, alarms, readers, issues and feeds.

Labels are names from the configuration (backup domains, newsletters) and words of our own. A feed is
named by its host, since its path and query may be secret.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from secondpost.config.addresses import host_of_url
from secondpost.config.records import Config, Newsletter
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import Reckoning
from secondpost.mail.metrics import OTHER
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.spool.desk import Standing, standing_of
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.owner_ports import Count, Desk, SiteDown
from secondpost.watch.exposition import Gauge

SECOND_MS = 1_000
QUEUE_LABELS = ("lane", "domain", "standing")


@dataclass(slots=True)
class _Queue:
    deliveries: int = 0
    octets: int = 0
    oldest_ms: int = 2**53


async def mail_gauges(store: Desk, config: Config) -> list[Gauge]:
    """Of the mail database."""
    counts, down = await store.counts(), await store.sites_down()
    sites = dict(await store.relay_sites())
    up = await store.primaries()
    is_down = {site.site for site in down}
    known = [(one.domain, sites.get(one.domain)) for one in config.backups]
    reachable = [
        ((str(domain),), float(site not in is_down))
        for domain, site in known
        if site in is_down or domain in up
    ]
    return [
        *_queues(counts, config),
        Gauge("primary_up", "Whether a backup domain's primary can be reached.", ("domain",), reachable),
        Gauge("sites_down", "Sites that accept nothing now.", (), [((), len(down))]),
        _since(down),
        _alarms([one for one in await store.alarms() if one.ended_ms is None]),
    ]


def _since(down: Sequence[SiteDown]) -> Gauge:
    oldest = [((), min(site.since_ms for site in down) / SECOND_MS)] if len(down) > 0 else []
    return Gauge(
        "site_down_since_timestamp_seconds", "Since when the site is down that is down longest.", (), oldest
    )


def _queues(counts: Sequence[Count], config: Config) -> Iterator[Gauge]:
    """Deliveries that are not ended, by lane, backup domain and standing."""
    domains = {str(one.domain) for one in config.backups}
    queues: dict[tuple[str, ...], _Queue] = {
        (Lane.RELAY.value, domain, Standing.WAITING.value): _Queue() for domain in domains
    }
    for count in counts:
        domain = count.domain if count.domain in domains else OTHER
        standing = standing_of(count.lane, count.state, count.site_down, count.kept_for)
        queue = queues.setdefault((count.lane.value, domain, standing.value), _Queue())
        queue.deliveries += count.deliveries
        queue.octets += count.octets
        queue.oldest_ms = min(queue.oldest_ms, count.oldest_ms)
    in_order = sorted(queues.items())
    yield Gauge(
        "queue_deliveries",
        "Deliveries that are not ended.",
        QUEUE_LABELS,
        [(labels, queue.deliveries) for labels, queue in in_order],
    )
    yield Gauge(
        "queue_bytes",
        "Size of the messages of deliveries that are not ended.",
        QUEUE_LABELS,
        [(labels, queue.octets) for labels, queue in in_order],
    )
    yield Gauge(
        "queue_oldest_timestamp_seconds",
        "When the oldest of these deliveries arrived.",
        QUEUE_LABELS,
        [(labels, queue.oldest_ms / SECOND_MS) for labels, queue in in_order if queue.deliveries > 0],
    )


def _alarms(standing: Sequence[AlarmRecord]) -> Gauge:
    kinds = Counter((one.kind.word, one.severity.value) for one in standing)
    return Gauge("alarms", "Alarms that stand, by kind.", ("kind", "severity"), sorted(kinds.items()))


async def newsletter_gauges(store: NewsletterStore, config: Config) -> list[Gauge]:
    """Of the newsletter database."""
    readers: list[tuple[tuple[str, ...], float]] = []
    issues: list[tuple[tuple[str, ...], float]] = []
    numbers: list[tuple[tuple[str, ...], float]] = []
    for one in config.newsletters:
        by_state = await store.reader_counts(one.name)
        readers += [((one.name, state.value), many) for state, many in by_state.items()]
        for issue in await store.issues(one.name, None, 1):
            numbers.append(((one.name, issue.state.value), issue.number))
            mails = await store.reckoning(issue.id)
            issues += [((one.name, outcome), many) for outcome, many in _outcomes(mails).items()]
    mail = await store.mail_to_readers()
    return [
        Gauge("readers", "Readers by state.", ("newsletter", "state"), readers),
        Gauge("issue_number", "Number of the latest issue.", ("newsletter", "state"), numbers),
        Gauge("issue_mails", "Mails of the latest issue, by outcome.", ("newsletter", "outcome"), issues),
        Gauge("reader_mails_waiting", "Mails to readers that wait.", (), [((), mail.waiting)]),
        Gauge(
            "reader_mails_deferred",
            "Mails to readers that wait after a failed attempt.",
            (),
            [((), mail.all_deferred)],
        ),
        await _feeds(store, config.newsletters),
    ]


def _outcomes(mails: Reckoning) -> Mapping[str, int]:
    return {
        "planned": mails.planned,
        "under_way": mails.under_way,
        "delivered": mails.delivered,
        "suppressed": mails.suppressed,
        "failed": mails.failed,
        "expired": mails.expired,
        "stopped": mails.stopped,
        "unknown": mails.unknown,
    }


async def _feeds(store: NewsletterStore, newsletters: Sequence[Newsletter]) -> Gauge:
    """A newsletter's feeds on one host are one series: the one that was read longest ago."""
    read: dict[tuple[str, ...], float] = {}
    for newsletter in newsletters:
        for url in newsletter.feeds:
            good_ms = (await store.feed(newsletter.name, url)).last_good_ms
            labels = (newsletter.name, host_of_url(url))
            at = 0.0 if good_ms is None else good_ms / SECOND_MS
            read[labels] = min(at, read.get(labels, at))
    return Gauge(
        "feed_last_success_timestamp_seconds",
        "When a newsletter's feed was last fetched without a fault; 0: never.",
        ("newsletter", "host"),
        sorted(read.items()),
    )
