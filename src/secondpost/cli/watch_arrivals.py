"""secondpost watch arrivals: where mail comes from, and which networks cannot reach a primary."""

import click

from secondpost.cli.command import JSON, Command
from secondpost.cli.opening import at_desk
from secondpost.cli.screen import Column, local_time, say, say_json, say_table, say_wrapped
from secondpost.config.records import Config
from secondpost.owner.arrivals import (
    DAY_HOURS,
    ArrivalsFound,
    NetworkArrivals,
    arrivals_document,
    arrivals_of,
)
from secondpost.owner.figures import counted
from secondpost.spool.desk import OwnersDesk
from secondpost.watch.blocks import USUAL_HOURS_MIN

COLUMNS = (
    Column("domain"),
    Column("network", folds=True),
    Column("good today", right=True),
    Column("in 7 days", right=True),
    Column("usual", right=True),
    Column("other", right=True),
    Column("verdict", folds=True),
)


@click.command(cls=Command)
@JSON
def arrivals(as_json: bool) -> None:
    """Show which networks send mail here, and which are blocked."""

    async def read(desk: OwnersDesk, config: Config) -> None:
        found = await arrivals_of(desk, config)
        if as_json:
            say_json(arrivals_document(found))
        else:
            say_arrivals(found)

    at_desk(read)


def say_arrivals(found: ArrivalsFound) -> None:
    if len(found.networks) == 0:
        say("No mail for a backup domain came here in the last 7 days.")
    else:
        say_table(COLUMNS, [_row(one) for one in found.networks])
    if found.hours < USUAL_HOURS_MIN or any(one.usual_week is None for one in found.networks):
        days, so_far = USUAL_HOURS_MIN // DAY_HOURS, counted(found.hours, "hour", "hours")
        say_wrapped(
            f"What is usual is not known until the primary has been up for {days} days; so far it was for "
            f"{so_far}."
        )


def _row(one: NetworkArrivals) -> tuple[str, ...]:
    usual = "?" if one.usual_week is None else f"{one.usual_week:.1f}"
    return (
        str(one.domain),
        one.name,
        f"{one.good_day:,}",
        f"{one.good_week:,}",
        usual,
        f"{one.other_week:,}",
        _verdict(one),
    )


def _verdict(one: NetworkArrivals) -> str:
    if (blocked := one.blocked) is None:
        return ""
    since = local_time(blocked.since_ms)
    return f"BLOCKED since {since}: {blocked.good:,} messages of {blocked.authors} domains"
