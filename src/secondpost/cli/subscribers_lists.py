"""secondpost subscribers export: the whole list of readers, page by page."""

import os
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

import click

from secondpost.cli.command import Command, Ending, Exit
from secondpost.cli.newsletters import meant
from secondpost.cli.opening import at_newsletter, configuration, write_faults_shown
from secondpost.cli.screen import progressed, progressing, say
from secondpost.mail.subscriber import SubscriberState
from secondpost.newsletter.renaming import cut_short_text
from secondpost.owner.figures import counted
from secondpost.subscribers.exporting import exported

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

STANDARD = "-"  # standard output, in place of a file
LINES_BETWEEN_LOOKS = 10_000  # between progress lines


@click.command("export", cls=Command)
@click.argument("words", nargs=-1, metavar="[NAME] [FILE]")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in SubscriberState]),
    help="Only readers in this state; may be repeated. Default: all.",
)
def export(words: tuple[str, ...], states: tuple[str, ...]) -> None:
    """Write readers as CSV to a new file, or to standard output. Importing the file restores the
    list.

    Without --state the file also has suppressed addresses that are not readers, as hashes with
    their key. Keep the file as safe as the list.
    """
    config = configuration()
    which = meant(config, words, 0, 1)
    path = which.words[0] if len(which.words) == 1 else STANDARD
    wanted = tuple(SubscriberState(word) for word in states)
    target = _new_file(path)
    lines = -1  # do not count the header

    async def write(open_: "OpenNewsletter") -> None:
        nonlocal lines
        for former in await open_.store.former_names():
            if not former.is_done and which.newsletter.name in (former.name, former.now):
                raise Ending(f"the list is incomplete: {cut_short_text(former)}", Exit.NO)
        async for line in exported(open_.store, which.newsletter.name, wanted):
            target.write(line)
            lines += 1
            if lines % LINES_BETWEEN_LOOKS == 0 and path != STANDARD:
                progressing(f"{counted(lines, 'line', 'lines')} written")

    with write_faults_shown(path):
        try:
            at_newsletter(write, config)
            target.flush()
        except Ending:
            if path != STANDARD:
                # What root made, the store's owner may be unable to remove.
                with suppress(PermissionError):
                    os.unlink(path)
            raise
        finally:
            if path != STANDARD:
                target.close()
            progressed()
    if path != STANDARD:
        say(f"Wrote {counted(lines, 'line', 'lines')} to {path}")


def _new_file(path: str) -> IO[str]:
    if path == STANDARD:
        return sys.stdout
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Ending(f"{path} already exists: choose another name", Exit.NO) from None
    except OSError as error:
        raise Ending(f"{path} cannot be created: {error.strerror}", Exit.NO) from None
    return open(descriptor, "w", encoding="utf-8", newline="")
