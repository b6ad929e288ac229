"""secondpost queue: all mail waiting or held, and the owner's verbs."""

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from secondpost.cli.choosing import Shared, sharing_options
from secondpost.cli.command import COUNTED, JSON, Command, Ending, Exit, Group
from secondpost.cli.leading import WORDINGS, verb_command
from secondpost.cli.lists import LISTED_MAX, ListPage, page_of, recipient_text, say_list
from secondpost.cli.opening import at_stores
from secondpost.cli.parameters import DELIVERY, MESSAGE_OR_DELIVERY
from secondpost.cli.queue_reader_mail import show_reader_mail
from secondpost.cli.readers_mail import left_out_text
from secondpost.cli.screen import local_time, say, say_field, say_json
from secondpost.config.records import Config
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.delivery_states import KEEPING_CONTENT
from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.mail.size import size_text
from secondpost.owner.documents import message_document
from secondpost.owner.figures import counted
from secondpost.spool.desk import OwnersDesk, standing
from secondpost.store.owner_ports import DeliveryRow, Selection

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter


@click.group(cls=Group)
def queue() -> None:
    """Mail waiting or held, except readers' mail: list, show, hold, release, drop."""


@queue.command("list", cls=Command)
@sharing_options
@click.option("--limit", type=COUNTED, default=LISTED_MAX, show_default=True, help="List at most this many.")
@click.option(
    "--after", type=DELIVERY, help="Continue after this delivery, the last one of the previous list."
)
@JSON
def list_queue(shared: Shared, limit: int, after: DeliveryId | None, as_json: bool) -> None:
    """List deliveries in order of arrival.

    Without --state, all that have not ended. Mail to readers is only summed up below the list, with
    the command that shows it.
    """

    async def read(desk: OwnersDesk, open_: "OpenNewsletter | None", _config: Config) -> tuple[ListPage, str]:
        selection = shared.selection(desk)
        if len(selection.in_states) == 0:
            selection = replace(selection, states=KEEPING_CONTENT)
        page = await page_of(desk.found(selection, after), limit, desk.clock.now_ms())
        narrowed = None if shared.is_nothing else selection
        return page, "" if open_ is None else await left_out_text(open_.store, narrowed)

    page, beside = at_stores(read)
    empty = "Nothing is in the queue." if len(beside) == 0 else "No other mail is in the queue."
    say_list(page, as_json, empty if shared.is_nothing else None, beside)


@queue.command("show", cls=Command)
@click.argument("id", type=MESSAGE_OR_DELIVERY)
@JSON
def show(id: QueueId | DeliveryId, as_json: bool) -> None:
    """Show how a message arrived, and its state for each recipient.

    Also for mail to readers: ID is an issue or a confirmation, ID/N one reader's mail of an issue.
    """

    if isinstance(id, DeliveryId):
        queue_id, number = id.queue_id, id.number
    else:
        queue_id, number = id, None

    async def read(desk: OwnersDesk, open_: "OpenNewsletter | None", config: Config) -> None:
        message = await desk.desk.message(queue_id)
        if message is None:
            if open_ is None or not await show_reader_mail(open_.store, config, queue_id, number, as_json):
                raise Ending(f"there is no message {queue_id_text(queue_id)}", Exit.NO)
            return
        deliveries = [listed async for listed in desk.found(Selection(ids=(queue_id,)))]
        events = await desk.desk.events(queue_id)
        if as_json:
            say_json(message_document(message, deliveries, events))
            return
        say_field("message", f"{queue_id_text(queue_id)}, {size_text(message.size)}, lane {message.lane}")
        say_field("from", f"<{message.sender}>")
        tls = f" with {message.tls}" if len(message.tls) > 0 else ""
        say_field("came", f"{local_time(message.arrived_ms)} from {message.peer_address} ({message.helo})")
        say_field("by", f"{message.protocol}{tls}")
        say_field("content", "here" if message.has_content else "gone: no longer needed")
        for listed in deliveries:
            say(f"{listed.id} to {recipient_text(listed)}: {sentence(listed)}")

    at_stores(read)


def sentence(listed: DeliveryRow) -> str:
    """The state of one delivery, in a sentence."""
    parts = [standing(listed).value]
    if listed.attempts > 0:
        parts.append(counted(listed.attempts, "try", "tries"))
    if listed.last_ms is not None:
        parts.append(f"last {local_time(listed.last_ms)}")
    if listed.state is State.WAITING and not listed.site_down:
        parts.append(f"next {local_time(listed.due_ms)}")
    if len(listed.reply) > 0:
        parts.append(f"{listed.host} said {listed.reply}" if len(listed.host) > 0 else listed.reply)
    if listed.maybe_duplicate:
        parts.append("may have been delivered once already")
    return "; ".join(parts)


for verb, wording in WORDINGS.items():
    queue.add_command(verb_command(verb, wording))
