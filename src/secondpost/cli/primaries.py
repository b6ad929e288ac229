"""How the primaries of the backup domains are, and what came of mail for them: a part of status."""

from dataclasses import dataclass

from secondpost.cli.documents import DaysDocument, PrimaryDocument
from secondpost.cli.screen import Column, age_text, counted, say, say_table, utc_time
from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.daily import Daily, day_of
from secondpost.mail.outcome import Cause
from secondpost.mail.size import size_text
from secondpost.spool.desk import OwnersDesk
from secondpost.store.owner_ports import SiteDown
from secondpost.store.primary_ports import DayCount, Primary

DAYS = 7
COUNTED = (Daily.HELD, Daily.KEPT, Daily.REFUSED_FOR_NOW, Daily.REFUSED, Daily.PASSED_ON)
COLUMNS = (
    Column("domain"),
    Column("primary"),
    Column("looked at", right=True),
    *(Column(what.value, right=True) for what in COUNTED),
    Column("offers", folds=True),
)


@dataclass(frozen=True, slots=True)
class PrimaryStands:
    """Of one backup domain: `down` and `up` are both None when its primary was never looked at."""

    domain: Domain
    site: str | None
    down: SiteDown | None
    up: Primary | None  # how it was last, while it is down
    counts: dict[Daily, DayCount]
    kept_smtputf8: int  # for the primary does not offer it, which was learnt too late


def primaries_of(desk: OwnersDesk, config: Config) -> list[PrimaryStands]:
    sites = dict(desk.desk.relay_sites())
    down = {site.site: site for site in desk.desk.sites_down()}
    up = desk.desk.primaries()
    counts: dict[Domain, dict[Daily, DayCount]] = {}
    for count in desk.desk.day_counts(day_of(desk.clock.now_ms()), DAYS):
        counts.setdefault(count.domain, {})[count.what] = count
    kept_smtputf8 = desk.desk.kept_for(Cause.SMTPUTF8.word)
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


def say_primaries(primaries: list[PrimaryStands], now_ms: int) -> None:
    if len(primaries) == 0:
        return
    say_table(COLUMNS, [_row(one, now_ms) for one in primaries])
    say(f"Deliveries are counted today (in UTC) / in the last {DAYS} days.")
    for one in primaries:
        if one.kept_smtputf8 > 0:
            what = counted(one.kept_smtputf8, "delivery is", "deliveries are")
            say(f"{what} kept because the primary of {one.domain} does not offer SMTPUTF8.")


def _row(one: PrimaryStands, now_ms: int) -> tuple[str, ...]:
    counts = [f"{_today(one, what):,} / {_all_days(one, what):,}" for what in COUNTED]
    return (str(one.domain), *_state(one, now_ms), *counts, _offers(one))


def _state(one: PrimaryStands, now_ms: int) -> tuple[str, str]:
    if one.down is not None:
        return f"DOWN for {age_text(now_ms - one.down.since_ms)}", _ago(one.down.looked_ms, now_ms)
    if one.up is not None:
        return f"up for {age_text(now_ms - one.up.since_ms)}", _ago(one.up.looked_ms, now_ms)
    return "not known yet", ""


def _ago(at_ms: int, now_ms: int) -> str:
    return f"{age_text(now_ms - at_ms)} ago"


def _offers(one: PrimaryStands) -> str:
    if one.up is None:
        return ""
    offered = one.up.offered
    size = "any size" if offered.size_max is None else f"up to {size_text(offered.size_max)}"
    return f"{size}, {'SMTPUTF8' if offered.smtputf8 else 'no SMTPUTF8'}"


def _today(one: PrimaryStands, what: Daily) -> int:
    count = one.counts.get(what)
    return 0 if count is None else count.today


def _all_days(one: PrimaryStands, what: Daily) -> int:
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
        today=DaysDocument(*(_today(one, what) for what in COUNTED)),
        week=DaysDocument(*(_all_days(one, what) for what in COUNTED)),
    )
