"""secondpost held: mail held for the backup domains; read, export or redirect it."""

import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from dataclasses import replace

import click

from secondpost.cli.choosing import Chosen, Shared, all_option, choosing_options, sharing_options
from secondpost.cli.command import COUNTED, JSON, Command, Ending, Exit, Group
from secondpost.cli.leading import WHY, YES, ask
from secondpost.cli.lists import LISTED_MAX, ListPage, page_of, recipient_text, say_list
from secondpost.cli.opening import at_desk, configuration, write_faults_shown
from secondpost.cli.parameters import DELIVERY, MAILBOX, MESSAGE
from secondpost.cli.screen import local_time, say, say_json
from secondpost.config.records import Config
from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.mail.size import size_text
from secondpost.owner.documents import ExportDocument, ReadingDocument, VerbDocument
from secondpost.owner.export import PIECE_OCTETS, EmlFolder, Export, MboxFile
from secondpost.owner.figures import counted, utc_time
from secondpost.owner.reading import READ_OCTETS_MAX, Reading, read_message
from secondpost.spool.desk import HOLDABLE, OwnersDesk, OwnerVerb, is_held, standing
from secondpost.store.owner_ports import DeliveryRow, Selection


@click.group(cls=Group)
def held() -> None:
    """Mail held for your domains: list, read, export, redirect.

    Held because a primary is down, held by you, or kept until you decide.
    """


@held.command("list", cls=Command)
@sharing_options
@click.option("--limit", type=COUNTED, default=LISTED_MAX, show_default=True, help="List at most this many.")
@click.option(
    "--after", type=DELIVERY, help="Continue after this delivery, the last one of the previous list."
)
@JSON
def list_held(shared: Shared, limit: int, after: DeliveryId | None, as_json: bool) -> None:
    """List held mail, in order of arrival, and why it is held."""

    async def read(desk: OwnersDesk, _config: Config) -> ListPage:
        return await page_of(_held(desk, shared.selection(desk), after), limit, desk.clock.now_ms())

    page = at_desk(read)
    say_list(page, as_json, "Nothing is held." if shared.is_nothing and after is None else None)


async def _held(
    desk: OwnersDesk, selection: Selection, after: DeliveryId | None = None
) -> AsyncIterator[DeliveryRow]:
    async for listed in desk.found(replace(selection, states=HOLDABLE), after):
        if is_held(listed):
            yield listed


@held.command("show", cls=Command)
@click.argument("id", type=MESSAGE)
@click.option("--raw", is_flag=True, help="Write the raw message, such as to a pipe.")
@JSON
def show(id: QueueId, raw: bool, as_json: bool) -> None:
    """Read a message: headers, text, names of attachments.

    Reading changes nothing.
    """
    if raw and as_json:
        raise click.UsageError("Use only one of --raw and --json.")

    async def read(desk: OwnersDesk, _config: Config) -> None:
        deliveries = [listed async for listed in desk.found(Selection(ids=(id,)))]
        if len(deliveries) == 0:
            raise Ending(f"there is no message {queue_id_text(id)}", Exit.NO)
        async with aclosing(_content(desk, id)) as pieces:
            if raw:
                async for piece in pieces:
                    sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
                return
            data, complete = await _beginning(pieces)
        _say_reading(deliveries, read_message(data), complete, as_json)

    at_desk(read)


async def _content(desk: OwnersDesk, id: QueueId) -> AsyncGenerator[bytes, None]:
    try:
        async for piece in desk.desk.content_pieces(id, PIECE_OCTETS):
            yield piece
    except LookupError:
        text = f"the content of {queue_id_text(id)} is gone: every recipient has it, or it was dropped"
        raise Ending(text, Exit.NO) from None


async def _beginning(pieces: AsyncIterator[bytes]) -> tuple[bytes, bool]:
    """The beginning of the content, and whether it is all."""
    data = bytearray()
    async for piece in pieces:
        data += piece
        if len(data) > READ_OCTETS_MAX:
            return bytes(data[:READ_OCTETS_MAX]), False
    return bytes(data), True


def _say_reading(deliveries: list[DeliveryRow], reading: Reading, complete: bool, as_json: bool) -> None:
    first = deliveries[0]
    id = queue_id_text(first.id.queue_id)
    if as_json:
        say_json(
            ReadingDocument(
                id=id,
                sender=first.sender,
                recipients=[listed.recipient for listed in deliveries],
                standing=standing(first).value,
                arrived=utc_time(first.arrived_ms),
                size=first.size,
                headers=reading.headers,
                text=reading.text,
                attachments=list(reading.attachments),
                complete=complete,
            )
        )
        return
    say(f"Held as {id} since {local_time(first.arrived_ms)}, {size_text(first.size)}")
    say(f"Envelope: <{first.sender}> to {', '.join(map(recipient_text, deliveries))}")
    for name, value in reading.headers.items():
        say(f"{name}: {' '.join(value.split())}")
    for attachment in reading.attachments:
        say(f"Attachment: {attachment}")
    say("")
    say(reading.text)
    if not complete:
        say(f"[the first {size_text(READ_OCTETS_MAX)} of it; the rest: held show --raw, or held export]")


@held.command("export", cls=Command)
@choosing_options
@click.option(
    "--format",
    "form",
    type=click.Choice(["mbox", "eml"]),
    default="mbox",
    show_default=True,
    help="One mbox file, or a folder with one .eml for each message.",
)
@click.option(
    "--to",
    "path",
    metavar="PATH",
    required=True,
    help="The new file or folder; - writes an mbox to standard output.",
)
@JSON
def export(which: Chosen, form: str, path: str, as_json: bool) -> None:
    """Write held messages to files that any mail program reads. They stay held.

    Without ids or filters, all held mail. A message to several recipients is written once.
    """
    if path == "-" and (form == "eml" or as_json):
        raise click.UsageError("Standard output takes only an mbox: give --to a path.")
    config = configuration()
    target = _open_export(form, path, config.store)

    async def write(desk: OwnersDesk, _config: Config) -> None:
        written: QueueId | None = None
        async for listed in _held(desk, await which.selection(desk)):
            id = listed.id.queue_id
            if id != written:
                await target.add(id, listed.sender, listed.arrived_ms, _content(desk, id))
                written = id

    try:
        with write_faults_shown(path):
            at_desk(write, config)
    finally:
        target.close()
    if target.messages == 0:
        _remove_empty(form, path)
        raise Ending("nothing to export: no matching mail is held", Exit.NO)
    if as_json:
        say_json(ExportDocument(form, path, target.messages, target.octets))
    elif path != "-":
        count = counted(target.messages, "message", "messages")
        say(f"Wrote {count}, {size_text(target.octets)}, to {path}")


def _open_export(form: str, path: str, store: str) -> Export:
    """Open the file while still root, which may write where the store's owner may not."""
    if path == "-":
        return MboxFile(sys.stdout.buffer, closes=False)
    try:
        if form == "mbox":
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            return MboxFile(open(descriptor, "wb"))
        os.mkdir(path, 0o700)
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if os.geteuid() == 0 and os.path.exists(store):
            owner = os.stat(store)
            os.fchown(folder, owner.st_uid, owner.st_gid)
        return EmlFolder(folder)
    except FileExistsError:
        raise Ending(f"{path} already exists: choose another name", Exit.NO) from None
    except OSError as error:
        raise Ending(f"{path} cannot be created: {error.strerror}", Exit.NO) from None


def _remove_empty(form: str, path: str) -> None:
    """Remove an export without messages; if root made it, the store's owner may be unable to."""
    if path == "-":
        return
    with suppress(PermissionError):
        if form == "mbox":
            os.unlink(path)
        else:
            os.rmdir(path)


@held.command("redirect", cls=Command)
@all_option("All mail that is held, kept or waiting.")
@click.option("--to", type=MAILBOX, required=True, help="The mailbox that gets it instead.")
@YES
@JSON
def redirect(which: Chosen, to: Mailbox, yes: bool, as_json: bool) -> None:
    """Send held mail to another mailbox instead of its recipient.

    Asks first unless every delivery was named by id; without a terminal to ask on, --yes is needed.
    """

    async def work(desk: OwnersDesk, _config: Config) -> None:
        reach = desk.within_reach(OwnerVerb.REDIRECT, await which.selection(desk))
        found = await desk.count(reach)
        if found == 0:
            raise Ending("nothing to redirect: no matching mail is held or waiting", Exit.NO)
        if not which.is_by_id and not yes:
            ask(f"Send {counted(found, 'delivery', 'deliveries')} {which.words} to {to} instead?")
        done = await desk.redirect(reach, to, WHY)
        if as_json:
            say_json(VerbDocument(OwnerVerb.REDIRECT.value, done.deliveries))
        else:
            say(f"Redirected to {to}: {counted(done.deliveries, 'delivery', 'deliveries')}.")

    at_desk(work)
