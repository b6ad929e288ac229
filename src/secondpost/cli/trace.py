"""secondpost trace: the way of a message, or of an address: its messages, and its part in
newsletters.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.opening import at_stores
from secondpost.cli.screen import Column, local_time, say, say_json, say_table
from secondpost.config.records import Config
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.moment import clock_text
from secondpost.mail.queue_id import parse_queue_id, queue_id_text
from secondpost.mail.size import size_text
from secondpost.owner.figures import counted
from secondpost.owner.trace import Traced, trace_document, way_of_id, ways_of_address
from secondpost.owner.way import Step
from secondpost.owner.zones import zone_of
from secondpost.spool.desk import OwnersDesk

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


@click.command(cls=Command)
@click.argument("what", metavar="ID|ADDRESS")
@JSON
def trace(what: str, as_json: bool) -> None:
    """Show the way of a message or an address, station by station.

    In order of time. For an address, the latest ten messages from or to it, and its history as a
    reader of each newsletter.
    """
    id = None if "@" in what else _id(what)

    async def read(desk: OwnersDesk, open_: "OpenNewsletter | None", config: Config) -> None:
        readers = None if open_ is None else open_.store
        found = (
            await ways_of_address(desk, readers, what, config)
            if id is None
            else await way_of_id(desk, readers, id, config)
        )
        if len(found.ways) + len(found.readers) == 0:
            raise Ending(f"nothing is known of {what}: it is not here, and was not recently", Exit.NO)
        if as_json:
            say_json(trace_document(found))
        else:
            _say(found, config)

    at_stores(read)


def _id(text: str) -> DeliveryId:
    """Parse an id; number 0 is the whole message."""
    try:
        return DeliveryId.parse(text) if "/" in text else DeliveryId(parse_queue_id(text), 0)
    except ValueError as error:
        raise click.UsageError(f"{error}, and not an address either.") from None


# ---------------------------------------------------------------- printing


def _say(found: Traced, config: Config) -> None:
    for way in found.ways:
        say(f"{queue_id_text(way.message.queue_id)} {way.of}, {size_text(way.message.size)}")
        zone = None if way.newsletter is None else zone_of(config, way.newsletter)
        _say_steps(way.steps, _number, zone)
    if found.older > 0:
        say(f"{counted(found.older, 'older message', 'older messages')} not shown.")
    for reader in found.readers:
        state = "no reader" if reader.reader is None else reader.reader.state.value
        also = ", suppressed" if reader.is_suppressed else ""
        say(f"{reader.address} of {reader.newsletter}: {state}{also}")
        _say_steps(reader.steps, str, zone_of(config, reader.newsletter))
        if reader.older > 0:
            say(f"{counted(reader.older, 'older mail', 'older mails')} not shown.")


def _number(id: DeliveryId) -> str:
    return f"/{id.number}"


def _say_steps(steps: list[Step], named: Callable[[DeliveryId], str], zone: ZoneInfo | None) -> None:
    """`zone` is the newsletter's; None means the machine's own."""
    columns = (
        Column("time" if zone is None else f"time ({zone.key})"),
        Column("station"),
        Column("delivery"),
        Column("what"),
        Column("detail", folds=True),
    )
    say_table(columns, [_row(step, named, zone) for step in steps])


def _row(step: Step, named: Callable[[DeliveryId], str], zone: ZoneInfo | None) -> tuple[str, ...]:
    at = local_time(step.at_ms) if zone is None else clock_text(step.at_ms, zone)
    delivery = "" if step.delivery is None else named(step.delivery)
    return (at, step.station.value, delivery, step.what, step.detail)
