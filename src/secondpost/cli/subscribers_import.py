"""secondpost subscribers import: read a list of readers, show how it is understood, and import it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import click

from secondpost.cli.command import JSON, Command, Ending, Exit
from secondpost.cli.list_input import again_from_its_beginning, opened_list, source_of
from secondpost.cli.list_words import import_sentence, say_bad, say_import, say_report
from secondpost.cli.newsletters import led, meant
from secondpost.cli.opening import at_newsletter, configuration
from secondpost.cli.screen import progressed, progressing, say, say_json
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import MINUTE_MS, age_text
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.newsletter.renaming import finish_renames, left_behind_sentence
from secondpost.owner.figures import counted
from secondpost.owner.list_documents import import_document
from secondpost.policy.domains import own_domains
from secondpost.subscribers.import_report import ImportReport
from secondpost.subscribers.importing import ListImport
from secondpost.subscribers.list_columns import OwnersWord
from secondpost.subscribers.list_document import Octets
from secondpost.subscribers.list_files import parts_of
from secondpost.subscribers.list_look import look_through
from secondpost.subscribers.list_report import ListReport
from secondpost.subscribers.list_rows import NoList, RowVerdict
from secondpost.subscribers.list_verdicts import state_words
from secondpost.subscribers.meanings import Meaning, Moment, Plain, ReaderStanding, folded

if TYPE_CHECKING:
    from secondpost.owner.newsletter_desk import OpenNewsletter

LONG_IMPORT_MS = MINUTE_MS

COLUMNS: Mapping[str, Meaning] = MappingProxyType(
    {
        "address": Plain.ADDRESS,
        "name": Plain.NAME,
        "state": state_words(),
        "left": Moment(ReaderStanding.LEFT),
        "suppressed": Moment(ReaderStanding.SUPPRESSED),
        "created": Plain.CREATED,
        "agreed": Plain.AGREED_AT,
        "where": Plain.AGREED_WHERE,
        "network": Plain.AGREED_FROM,
        "keep": Plain.KEPT,
    }
)
WORDS: Mapping[str, RowVerdict] = MappingProxyType(
    {
        "active": RowVerdict.ACTIVE,
        "pending": RowVerdict.PENDING,
        "left": RowVerdict.LEFT,
        "suppressed": RowVerdict.SUPPRESSED,
        "nothing": RowVerdict.NOTHING,
    }
)
WHOLE = (ReaderStanding.ACTIVE, ReaderStanding.LEFT, ReaderStanding.SUPPRESSED)


@click.command("import", cls=Command)
@click.argument("words", nargs=-1, required=True, metavar="[NAME] FILE")
@click.option("--dry-run", is_flag=True, help="Show how the list is understood, and change nothing.")
@click.option(
    "--confirmed",
    metavar="TEXT",
    help="Where and when they agreed. It is kept as their consent, and makes them readers at once.",
)
@click.option("--invite", is_flag=True, help="Send a mail to confirm to everyone who has not been asked yet.")
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="WHAT=NAME",
    help=f"What a column is: {', '.join(COLUMNS)}. May be repeated.",
)
@click.option(
    "--word",
    "meanings",
    multiple=True,
    metavar="WORD=WHAT",
    help=f"What a word in the list means: {', '.join(WORDS)}. May be repeated.",
)
@click.option(
    "--as",
    "whole",
    type=click.Choice([standing.value for standing in WHOLE]),
    help="What everyone is about whom the list says nothing else.",
)
@JSON
def import_(
    words: tuple[str, ...],
    dry_run: bool,
    confirmed: str | None,
    invite: bool,
    columns: tuple[str, ...],
    meanings: tuple[str, ...],
    whole: str | None,
    as_json: bool,
) -> None:
    """Import a list: CSV, JSON, a ZIP with one, or one address per line. - means standard input.

    First shows how each column is understood, and what happens to whom. People who are active there
    become pending here and get nothing, unless you add --confirmed or --invite. An import can
    remove readers but never brings one back: people who left there have left here, and people who
    bounced or complained there are suppressed.
    """
    _check_consent(confirmed, invite)
    word = _owners_word(columns, meanings, whole)
    config = configuration()
    which = meant(config, words, 1, 1)
    path = which.words[0]
    name, source = which.newsletter.name, source_of(path)
    with opened_list(path) as file:
        report = _looked_through(source, again_from_its_beginning(file), word, own_domains(config).names)
        if not as_json:
            say_report(report, confirmed is not None, invite)
        if dry_run or report.stops:
            if as_json:
                say_json(import_document(name, report, None))
            else:
                say_bad(report.bad_rows, report.bad)
            if report.stops:
                raise Ending(f"nothing was imported from {source}: say what the unclear words mean", Exit.NO)
            if not as_json:
                say("Nothing was written: this was a dry run. To import the list, leave out --dry-run.")
            _check_readable(source, report.lines, report.bad)
            return

        writing = _Writing(report.lines)

        async def work(open_: "OpenNewsletter") -> ImportReport:
            from secondpost.owner.names import names_in_store

            names = await names_in_store(config, open_.store)
            if len(names.left_behind) > 0 and names.unused is not None and name in names.unused:
                # A newsletter with readers of its own could not take over those of a renamed one.
                first = left_behind_sentence(names.left_behind[0], len(names.left_behind), names.unused)
                raise Ending(f"nothing was imported from {source}: {first}", Exit.NO)
            sign_ups = open_.sign_ups
            bringing = ListImport(open_.store, open_.clock, sign_ups.ids, sign_ups.arrived, sign_ups.own)
            # The lead: an issue frozen during the import would go to only part of the readers.
            async with led(open_.store) as leader:
                # Until a rename is finished, readers who left may still have the old name.
                await finish_renames(open_.store, leader)
                began_ms = open_.clock.now_ms()
                done = await bringing.run(name, source, report, confirmed, invite, writing.progress)
                tell_of_import(open_.news, name, done, open_.clock.now_ms() - began_ms)
                return done

        try:
            done = at_newsletter(work, config)
        except NoList as fault:
            raise _is_no_list(source, fault) from None
        except KeyboardInterrupt:
            writing.check_interrupted(source)
            raise
        finally:
            progressed()
    if as_json:
        say_json(import_document(name, report, done))
    else:
        say_import(name, done)
    if done.added > 0 and confirmed is None and not invite and not as_json and not _is_own(report):
        say(
            "The new ones are pending, and get nothing until they sign up themselves. If they agreed, import "
            "the list again with --confirmed, and say where and when; to ask them, with --invite."
        )
    _check_readable(source, done.lines, done.bad_count)


def tell_of_import(news: StandingAlarms, name: str, report: ImportReport, took_ms: int) -> None:
    """Have the owner hear of an import that took so long that they may have left the terminal."""
    if took_ms >= LONG_IMPORT_MS:
        detail = f"{import_sentence(report)} It took {age_text(took_ms)}."
        news.begin(AlarmKind.IMPORT_FINISHED, name, detail)


def _check_consent(confirmed: str | None, invite: bool) -> None:
    if confirmed is not None and invite:
        raise click.UsageError("Use only one of --confirmed (they agreed) and --invite (ask them).")
    if confirmed is not None and len(confirmed.strip()) == 0:
        raise click.UsageError('Say where and when they agreed: --confirmed "at the fair, 3 May 2026".')


def _check_readable(source: str, lines: int, bad: int) -> None:
    if lines > 0 and bad == lines:
        raise Ending(f"no line of {source} could be read", Exit.NO)


def _owners_word(columns: Sequence[str], meanings: Sequence[str], whole: str | None) -> OwnersWord:
    given: dict[str, Meaning] = {}
    spellings: dict[str, str] = {}
    for text in columns:
        what, _, name = text.partition("=")
        if what not in COLUMNS or len(name.strip()) == 0:
            raise click.UsageError(
                f"--column {text!r}: write WHAT=NAME, where WHAT is one of {', '.join(COLUMNS)}."
            )
        given[folded(name)] = COLUMNS[what]
        spellings[folded(name)] = name
    said: dict[str, RowVerdict] = {}
    for text in meanings:
        word, _, what = text.rpartition("=")
        if what not in WORDS or len(word.strip()) == 0:
            raise click.UsageError(
                f"--word {text!r}: write WORD=WHAT, where WHAT is one of {', '.join(WORDS)}."
            )
        said[folded(word)] = WORDS[what]
        spellings[folded(word)] = word
    return OwnersWord(given, said, None if whole is None else ReaderStanding(whole), spellings)


def _looked_through(source: str, octets: Octets, word: OwnersWord, own: frozenset[Domain]) -> ListReport:
    addresses = [name for name, meaning in word.columns.items() if meaning is Plain.ADDRESS]
    try:
        parts = parts_of(source, octets, addresses[0] if len(addresses) > 0 else None)
        report = look_through(parts, word, own, _looked_at)
    except NoList as fault:
        raise _is_no_list(source, fault) from None
    finally:
        progressed()
    if report.lines == 0:
        raise Ending(f"{source} has no addresses: export it again", Exit.NO)
    return report


def _looked_at(lines: int) -> None:
    progressing(f"{counted(lines, 'line', 'lines')} read")


def _is_no_list(source: str, fault: NoList) -> Ending:
    return Ending(f"{source} cannot be imported: {fault}", Exit.NO)


def _is_own(report: ListReport) -> bool:
    return all(part.is_own for part in report.parts)


@dataclass(slots=True)
class _Writing:
    """How far an import has come, for the screen and for the person who interrupts it."""

    lines: int  # of the list
    written: int = 0

    def progress(self, report: ImportReport) -> None:
        self.written = report.lines
        progressing(f"{report.lines:,} of {counted(self.lines, 'line', 'lines')}, {report.added:,} new")

    def check_interrupted(self, source: str) -> None:
        """Raise Ending if a part of the list was written."""
        if self.written > 0:
            raise Ending(
                f"interrupted: at least {self.written:,} of the {counted(self.lines, 'line', 'lines')} of "
                f"{source} were imported. Type the same command again to import the rest",
                Exit.NO,
            ) from None
