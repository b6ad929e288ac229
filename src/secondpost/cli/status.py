"""secondpost status: the state of everything, on one screen."""

from typing import TYPE_CHECKING

import click

from secondpost.cli.alarms import say_alarms
from secondpost.cli.command import JSON, Command
from secondpost.cli.opening import at_stores
from secondpost.cli.primaries import say_primaries
from secondpost.cli.providers import say_paused
from secondpost.cli.refused import say_refused
from secondpost.cli.screen import Column, say, say_json, say_table
from secondpost.cli.status_newsletters import say_newsletters
from secondpost.config.records import Config
from secondpost.deliver.refusal_budget import REFUSALS_PER_MINUTE_MAX
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.duration import age_text
from secondpost.mail.envelope import Lane
from secondpost.mail.size import size_text
from secondpost.owner.alarms import standing_alarms
from secondpost.owner.arrivals import blocked_lines
from secondpost.owner.figures import counted
from secondpost.owner.primaries import primaries_of
from secondpost.owner.status import standing_of_count, status_document
from secondpost.owner.status_newsletters import NewslettersStand, newsletters_stand
from secondpost.spool.desk import OwnersDesk
from secondpost.store.owner_ports import Count, SiteDown

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

WATCH_SECONDS = 2.0
WATCH_SECONDS_MIN, WATCH_SECONDS_MAX = 0.5, 3_600.0
COLUMNS = (
    Column("domain"),
    Column("standing"),
    Column("deliveries", right=True),
    Column("size", right=True),
    Column("oldest", right=True),
    Column("site", folds=True),
)


@click.command(cls=Command)
@click.option(
    "--watch",
    type=click.FloatRange(WATCH_SECONDS_MIN, WATCH_SECONDS_MAX),
    is_flag=False,
    flag_value=WATCH_SECONDS,
    metavar="[SECONDS]",
    help=f"Stay, and look again every so many seconds ({WATCH_SECONDS:g}).",
)
@JSON
def status(watch: float | None, as_json: bool) -> None:
    """Show what waits, what is held or kept, the primaries, and the newsletters."""
    if watch is not None:
        if as_json:
            raise click.UsageError("--watch is for people; a program reads /metrics, or calls --json again")
        from secondpost.cli.status_watch import watch_status

        watch_status(watch)
        return

    async def read(desk: OwnersDesk, open_: "OpenNewsletter | None", config: Config) -> None:
        counts, down = await desk.desk.counts(), await desk.desk.sites_down()
        runs, refused = await desk.desk.is_served(), await desk.desk.refused()
        primaries = await primaries_of(desk, config)
        now_ms = desk.clock.now_ms()
        alarms = standing_alarms(await desk.desk.alarms())
        found = None if open_ is None else await newsletters_stand(open_, config, now_ms)
        blocked = await blocked_lines(desk)
        copy = await desk.desk.copy_hold()
        if copy is None and open_ is not None:
            copy = await open_.store.copy_hold()
        if as_json:
            say_json(
                status_document(config, runs, alarms, counts, down, refused, primaries, found, copy, blocked)
            )
            return
        if copy is not None:
            say(f"COPY: nothing that waited in this store is sent, since {copy.why}.")
            say("  Type `secondpost snapshot accept`: it shows what waits, and asks what is to go out.")
        _say(config, runs, counts, down, now_ms, found)
        say_alarms(alarms, now_ms)
        say_refused(refused, config, now_ms)
        say_primaries(primaries, now_ms)
        for line in blocked:
            say(line)
        if found is not None:
            say_newsletters(found, config, now_ms)
            say_paused(found.pauses, now_ms)

    at_stores(read)


def _jobs(config: Config) -> str:
    """What the server is there for; its newsletters have lines of their own below."""
    if len(config.backups) == 0 and len(config.newsletters) > 0:
        return (
            f"sends {counted(len(config.newsletters), 'newsletter', 'newsletters')}, and backs up no domain"
        )
    domains = ", ".join(str(backup.domain) for backup in config.backups)
    return f"is the second post office of {domains or 'no domain yet'}"


def _say(
    config: Config,
    runs: bool,
    counts: list[Count],
    down: list[SiteDown],
    now_ms: int,
    found: NewslettersStand | None,
) -> None:
    say(f"{config.hostname} {_jobs(config)}.")
    if not runs:
        say("The service is NOT RUNNING: nothing is accepted, and nothing goes out.")
    for site in down:
        age = age_text(now_ms - site.since_ms)
        again = age_text(site.next_probe_ms - now_ms)
        say(f"DOWN for {age}: {site.site} ({site.cause}: {site.detail}); looked at again in {again}.")
    if len(counts) == 0:
        is_all = found is None or found.mail.mail.not_ended == 0
        say("Nothing waits, nothing is held." if is_all else "Only mail to readers is waiting.")
        return
    say_table(
        COLUMNS,
        [
            (
                count.domain if count.lane is not Lane.UNVERIFIED else f"{count.domain} (unverified)",
                standing_of_count(count).value,
                f"{count.deliveries:,}",
                size_text(count.octets),
                age_text(now_ms - count.oldest_ms),
                count.site,
            )
            for count in counts
        ],
    )
    if any(count.lane is Lane.UNVERIFIED and count.state is State.WAITING for count in counts):
        say(
            "Unverified mail is for addresses of which nothing is known: it is delivered last, "
            f"and a primary has to refuse at most {REFUSALS_PER_MINUTE_MAX} of them a minute."
        )
    kept = sum(count.deliveries for count in counts if count.state is State.KEPT and not _goes(count))
    if kept > 0:
        say(
            f"{counted(kept, 'delivery is', 'deliveries are')} kept until you decide: `secondpost held list`."
        )


def _goes(count: Count) -> bool:
    """Whether this mail is dropped after `keep_refused`: the primary refused it.

    Redirected mail that another server refused stays.
    """
    return count.kept_for is KeptFor.REFUSED and count.lane is not Lane.OWN
