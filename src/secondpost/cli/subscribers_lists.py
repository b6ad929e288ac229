"""secondpost subscribers import and export: whole lists of readers, in batches, whatever their length."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, TYPE_CHECKING

import click

from secondpost.cli.command import Command, Ending, Exit
from secondpost.cli.newsletter_documents import import_document
from secondpost.cli.newsletters import meant
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import counted, printable, progressed, progressing, say, say_json
from secondpost.mail.subscriber import SubscriberState
from secondpost.subscribers.exporting import exported
from secondpost.subscribers.importing import ImportReport, ListImport
from secondpost.subscribers.lists import NoList, encoding_of

if TYPE_CHECKING:
    from secondpost.app_newsletter import OpenNewsletter

STANDARD = "-"  # standard input or output, in the place of a file
HEAD_OCTETS = 64 * 1024  # of a list, to tell how it is written
LINES_BETWEEN_LOOKS = 10_000  # of an export, between two words about it


@click.command("import", cls=Command)
@click.argument("words", nargs=-1, required=True, metavar="[NAME] FILE")
@click.option(
    "--confirmed",
    metavar="TEXT",
    help="Where and when they agreed: kept as their consent, and makes them readers at once.",
)
@click.option("--invite", is_flag=True, help="Send each who was not asked yet a mail to confirm.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def import_(words: tuple[str, ...], confirmed: str | None, invite: bool, as_json: bool) -> None:
    """Bring in a list: CSV as other programs write it, or an address a line. - is standard input.

    They are pending, and get nothing, unless you say --confirmed or --invite. Whom we know already stays as
    they are, unless they are pending and you say --confirmed; the suppressed stay suppressed, and whom the
    list calls unsubscribed is suppressed.
    """
    if confirmed is not None and invite:
        raise click.UsageError("--confirmed says that they agreed, --invite asks them: one of the two.")
    if confirmed is not None and len(confirmed.strip()) == 0:
        raise click.UsageError('Say where and when they agreed: --confirmed "at the fair, 3 May 2026".')
    config = configuration()
    which = meant(config, words, 1, 1)
    path = which.words[0]
    name, source = which.newsletter.name, "standard input" if path == STANDARD else os.path.basename(path)
    lines = _opened_list(path)

    async def work(open_: "OpenNewsletter") -> ImportReport:
        sign_ups = open_.sign_ups
        bringing = ListImport(open_.store, open_.clock, sign_ups.ids, sign_ups.arrived, sign_ups.own)
        return await bringing.run(name, source, _read(lines, source), confirmed, invite, _progress)

    try:
        with lines:
            report = at_newsletter(work, config)
    except NoList as fault:
        raise Ending(f"{source} is no list of readers: {fault}", Exit.NO) from None
    finally:
        progressed()
    if as_json:
        say_json(import_document(name, report))
    else:
        _say_import(name, report)
        if report.added > 0 and confirmed is None and not invite:
            say(
                "The new ones are pending and get nothing, until they sign up themselves. Bring the list in "
                "again with --confirmed, and say where and when they agreed, or with --invite to ask them."
            )
    if report.lines > 0 and report.bad_count == report.lines:
        raise Ending(f"no line of {source} could be read", Exit.NO)


def _read(lines: IO[str], source: str) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeError:
        text = f"{source} is not written in one way: save it as UTF-8 and bring it in again"
        raise Ending(text, Exit.NO) from None


def _progress(report: ImportReport) -> None:
    progressing(f"{counted(report.lines, 'line', 'lines')}, {report.added:,} new")


def _say_import(name: str, report: ImportReport) -> None:
    for row in report.bad:
        click.echo(printable(str(row)), err=True)
    if report.bad_count > len(report.bad):
        click.echo(f"and {report.bad_count - len(report.bad):,} more like these", err=True)
    were_pending = f"{report.confirmed:,} pending and readers now, " if report.confirmed > 0 else ""
    say(
        f"{name}: {counted(report.lines, 'line', 'lines')}; {report.added:,} new, "
        f"{were_pending}{report.known:,} known already, {report.suppressed:,} suppressed, "
        f"{report.gone:,} gone by the list's own word, "
        f"{report.bad_count:,} could not be read."
    )
    if report.unclear > 0:
        rows = counted(report.unclear, "row has", "rows have")
        say(
            f"{rows} a status that is not known: whoever is new among them is pending. Call them active or "
            "unsubscribed in the list, and bring it in again."
        )
    if report.asked > 0:
        say(f"{counted(report.asked, 'mail asks', 'mails ask')} to confirm.")


def _opened_list(path: str) -> IO[str]:
    """Before the store's owner takes over from root, who may read what that user may not."""
    try:
        raw = io.FileIO(0 if path == STANDARD else path, closefd=path != STANDARD)
        source = io.BufferedReader(raw, HEAD_OCTETS)
        return io.TextIOWrapper(source, encoding=encoding_of(source.peek(HEAD_OCTETS)), newline="")
    except OSError as error:
        raise Ending(f"{path} cannot be read: {error.strerror}", Exit.NO) from None


@click.command("export", cls=Command)
@click.argument("words", nargs=-1, metavar="[NAME] [FILE]")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in SubscriberState]),
    help="Only those, several times if need be. Left out: all.",
)
def export(words: tuple[str, ...], states: tuple[str, ...]) -> None:
    """Write readers as CSV to a new file, or to standard output. Importing reads it again."""
    config = configuration()
    which = meant(config, words, 0, 1)
    path = which.words[0] if len(which.words) == 1 else STANDARD
    wanted = tuple(SubscriberState(word) for word in states)
    target = _new_file(path)
    lines = -1  # the head counts for none

    async def write(open_: "OpenNewsletter") -> None:
        nonlocal lines
        for line in exported(open_.store, which.newsletter.name, wanted):
            target.write(line)
            lines += 1
            if lines % LINES_BETWEEN_LOOKS == 0 and path != STANDARD:
                progressing(f"{counted(lines, 'reader', 'readers')} written")

    try:
        at_newsletter(write, config)
        target.flush()
    except OSError as error:
        raise Ending(f"{path} cannot be written: {error.strerror}", Exit.NO) from None
    except Ending:
        if path != STANDARD:
            with suppress(PermissionError):  # what root made may be beyond the store's owner
                os.unlink(path)
        raise
    finally:
        if path != STANDARD:
            target.close()
        progressed()
    if path != STANDARD:
        say(f"Wrote {counted(lines, 'reader', 'readers')} to {path}")


def _new_file(path: str) -> IO[str]:
    if path == STANDARD:
        return sys.stdout
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise Ending(f"{path} is there already: name a new one", Exit.NO) from None
    except OSError as error:
        raise Ending(f"{path} cannot be made: {error.strerror}", Exit.NO) from None
    return open(descriptor, "w", encoding="utf-8", newline="")
