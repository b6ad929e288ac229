"""secondpost trace: the way of one message, or of the latest messages from or to an address."""

from collections import deque

import click

from secondpost.cli.command import Command, Ending, Exit
from secondpost.cli.documents import StepDocument, TraceDocument, WayDocument
from secondpost.cli.opening import at_desk
from secondpost.cli.screen import Column, counted, local_time, say, say_json, say_table, utc_time
from secondpost.cli.way import Step, steps_of
from secondpost.config.records import Config
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.queue_id import QueueId, parse_queue_id, queue_id_text
from secondpost.mail.size import size_text
from secondpost.spool.desk import OwnersDesk
from secondpost.store.ports import MessageRow, Selection

MESSAGES_MAX = 10  # the latest ones of an address
COLUMNS = (
    Column("time"),
    Column("station"),
    Column("delivery"),
    Column("what"),
    Column("detail", folds=True),
)

Way = tuple[MessageRow, list[Step]]


@click.command(cls=Command)
@click.argument("what", metavar="ID|ADDRESS")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def trace(what: str, as_json: bool) -> None:
    """Tell the way of a message, station by station.

    In the order in which it went. Of an address, the latest ten messages from or to it.
    """
    id = None if "@" in what else _id(what)

    async def read(desk: OwnersDesk, config: Config) -> None:
        ids, older = _latest(desk, what) if id is None else ([id], 0)
        ways = [way for each in ids if (way := _way(desk, each, config)) is not None]
        if len(ways) == 0:
            raise Ending(f"nothing is known of {what}: neither here nor lately gone", Exit.NO)
        if as_json:
            say_json(TraceDocument([_document(row, steps) for row, steps in ways], older))
            return
        for row, steps in ways:
            say(f"{queue_id_text(row.queue_id)} from <{row.sender}>, {size_text(row.size)}")
            say_table(COLUMNS, [_row(step) for step in steps])
        if older > 0:
            say(f"{counted(older, 'older message', 'older messages')} not shown.")

    at_desk(read)


def _id(text: str) -> QueueId:
    try:
        return DeliveryId.parse(text).queue_id if "/" in text else parse_queue_id(text)
    except ValueError as error:
        raise click.UsageError(f"{error}, and no address either.") from None


def _latest(desk: OwnersDesk, address: str) -> tuple[list[QueueId], int]:
    """The ids, oldest first, and how many messages came before them."""
    latest: deque[QueueId] = deque(maxlen=MESSAGES_MAX)
    messages = 0
    for listed in desk.found(Selection(address=address)):
        if len(latest) == 0 or latest[-1] != listed.id.queue_id:
            latest.append(listed.id.queue_id)
            messages += 1
    return list(latest), messages - len(latest)


def _way(desk: OwnersDesk, id: QueueId, config: Config) -> Way | None:
    message = desk.desk.message(id)
    if message is None:
        return None
    deliveries = list(desk.found(Selection(ids=(id,))))
    return message, steps_of(message, deliveries, desk.desk.told(id), config)


def _row(step: Step) -> tuple[str, ...]:
    number = "" if step.delivery is None else f"/{step.delivery.number}"
    return (local_time(step.at_ms), step.station.value, number, step.what, step.detail)


def _document(row: MessageRow, steps: list[Step]) -> WayDocument:
    return WayDocument(
        queue_id_text(row.queue_id),
        row.sender,
        row.size,
        [
            StepDocument(
                utc_time(step.at_ms),
                step.station.value,
                None if step.delivery is None else str(step.delivery),
                step.what,
                step.detail,
            )
            for step in steps
        ],
    )
