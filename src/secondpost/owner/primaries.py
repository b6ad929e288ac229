"""The state of the backup domains' primaries, and what became of mail for them."""

from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.daily import DailyCount, day_of
from secondpost.mail.outcome import Cause
from secondpost.owner.documents import DaysDocument, PrimaryDocument
from secondpost.owner.figures import utc_time
from secondpost.spool.desk import OwnersDesk
from secondpost.store.owner_ports import SiteDown
from secondpost.store.primary_ports import DayCount, Primary

DAYS_SHOWN = 7
SHOWN_COUNTS = (
    DailyCount.HELD,
    DailyCount.KEPT,
    DailyCount.REFUSED_FOR_NOW,
    DailyCount.REFUSED,
    DailyCount.PASSED_ON,
)


@dataclass(frozen=True, slots=True)
class PrimaryStands:
    """The primary of one backup domain; `down` and `up` are both None before its first probe."""

    domain: Domain
    site: str | None
    down: SiteDown | None
    up: Primary | None  # as last seen, also while it is down
    counts: dict[DailyCount, DayCount]
    kept_smtputf8: int  # deliveries kept because it turned out not to offer SMTPUTF8


async def primaries_of(desk: OwnersDesk, config: Config) -> list[PrimaryStands]:
    sites = dict(await desk.desk.relay_sites())
    down = {site.site: site for site in await desk.desk.sites_down()}
    up = await desk.desk.primaries()
    counts: dict[Domain, dict[DailyCount, DayCount]] = {}
    for count in await desk.desk.day_counts(day_of(desk.clock.now_ms()), DAYS_SHOWN):
        counts.setdefault(count.domain, {})[count.what] = count
    kept_smtputf8 = await desk.desk.kept_for(Cause.SMTPUTF8.word)
    return [
        PrimaryStands(
            domain=domain,
            site=sites.get(domain),
            down=down.get(sites.get(domain, "")),
            up=up.get(domain),
            counts=counts.get(domain, {}),
            kept_smtputf8=kept_smtputf8.get(domain, 0),
        )
        for domain in (backup.domain for backup in config.backups)
    ]


def counted_today(one: PrimaryStands, what: DailyCount) -> int:
    count = one.counts.get(what)
    return 0 if count is None else count.today


def counted_all_days(one: PrimaryStands, what: DailyCount) -> int:
    count = one.counts.get(what)
    return 0 if count is None else count.all_days


def primary_document(one: PrimaryStands) -> PrimaryDocument:
    state = one.down if one.down is not None else one.up
    return PrimaryDocument(
        domain=one.domain.name,
        site=one.site,
        reachable=None if state is None else one.down is None,
        since=None if state is None else utc_time(state.since_ms),
        looked=None if state is None else utc_time(state.looked_ms),
        size_max=None if one.up is None else one.up.offered.size_max,
        smtputf8=None if one.up is None else one.up.offered.smtputf8,
        kept_smtputf8=one.kept_smtputf8,
        today=DaysDocument(*(counted_today(one, what) for what in SHOWN_COUNTS)),
        week=DaysDocument(*(counted_all_days(one, what) for what in SHOWN_COUNTS)),
    )
