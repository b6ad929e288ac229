"""secondpost status: how things stand, on one screen."""

import click

from secondpost import __version__
from secondpost.cli.command import Command
from secondpost.cli.documents import CountDocument, StatusDocument, site_document
from secondpost.cli.opening import at_desk
from secondpost.cli.screen import Column, age_text, counted, say, say_json, say_table, utc_time
from secondpost.config.records import Config
from secondpost.mail.size import size_text
from secondpost.spool.desk import OwnersDesk, Standing, standing_of
from secondpost.store.ports import Count, SiteDown

COLUMNS = (
    Column("domain"),
    Column("standing"),
    Column("deliveries", right=True),
    Column("size", right=True),
    Column("oldest", right=True),
    Column("site", folds=True),
)


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def status(as_json: bool) -> None:
    """Show what waits, what is held and kept, and which sites are down."""

    async def read(desk: OwnersDesk, config: Config) -> None:
        counts, down = desk.desk.counts(), desk.desk.sites_down()
        if as_json:
            say_json(_document(config, counts, down))
        else:
            _say(config, counts, down, desk.clock.now_ms())

    at_desk(read)


def _standing(count: Count) -> Standing:
    return standing_of(count.lane, count.state, count.site_down)


def _total(counts: list[Count], *standings: Standing) -> int:
    return sum(count.deliveries for count in counts if _standing(count) in standings)


def _document(config: Config, counts: list[Count], down: list[SiteDown]) -> StatusDocument:
    return StatusDocument(
        version=__version__,
        hostname=str(config.hostname),
        config=config.path,
        store=config.store,
        waiting=_total(counts, Standing.WAITING, Standing.CLAIMED),
        held_primary=_total(counts, Standing.HELD_PRIMARY),
        held_owner=_total(counts, Standing.HELD_OWNER),
        kept=_total(counts, Standing.KEPT),
        octets=sum(count.octets for count in counts),
        counts=[
            CountDocument(
                domain=count.domain,
                lane=count.lane.value,
                standing=_standing(count).value,
                site=count.site,
                deliveries=count.deliveries,
                octets=count.octets,
                oldest=utc_time(count.oldest_ms),
            )
            for count in counts
        ],
        sites_down=[site_document(site) for site in down],
    )


def _say(config: Config, counts: list[Count], down: list[SiteDown], now_ms: int) -> None:
    domains = ", ".join(str(backup.domain) for backup in config.backups)
    say(f"{config.hostname} is the second post office of {domains or 'no domain yet'}.")
    for site in down:
        age = age_text(now_ms - site.since_ms)
        again = age_text(site.next_probe_ms - now_ms)
        say(f"DOWN for {age}: {site.site} ({site.cause}: {site.detail}); looked at again in {again}.")
    if len(counts) == 0:
        say("Nothing waits, nothing is held.")
        return
    say_table(
        COLUMNS,
        [
            (
                count.domain,
                _standing(count).value,
                f"{count.deliveries:,}",
                size_text(count.octets),
                age_text(now_ms - count.oldest_ms),
                count.site,
            )
            for count in counts
        ],
    )
    kept = _total(counts, Standing.KEPT)
    if kept > 0:
        say(
            f"{counted(kept, 'delivery is', 'deliveries are')} kept until you decide: `secondpost held list`."
        )
