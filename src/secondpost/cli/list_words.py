"""How a list was understood, and the result of its import, in words."""

from collections.abc import Sequence

import click

from secondpost.cli.screen import Column, say, say_table
from secondpost.mail.printable import printable
from secondpost.owner.figures import counted
from secondpost.subscribers.import_report import ImportReport
from secondpost.subscribers.list_report import (
    PLACEHOLDERS,
    UNCLEAR,
    ColumnReport,
    ListReport,
    PartReport,
    WordCount,
)
from secondpost.subscribers.list_rows import BadRow

WORDS_SHOWN_MAX = 12  # per column; --json has all that were counted
DOUBTS_SHOWN_MAX = 8
NOTHING = "says nothing"
COLUMNS = (Column("is"), Column("column"), Column("says", folds=True))


def say_report(report: ListReport, is_confirmed: bool, invites: bool) -> None:
    for part in report.parts:
        say(_head(part))
        rows = [(each.what, each.name, _words(each)) for each in part.reports if each.what != "kept"]
        kept = [column.name for column in part.reports if column.what == "kept"]
        if len(kept) > 0:
            rows.append(("kept", ", ".join(kept), ""))
        say_table(COLUMNS, rows)
        if part.unsaid != "":
            say(f"It does not say {part.unsaid}.")
        _say_doubts(part)
    if len(report.parts) > 0:
        say(_becomes(report, is_confirmed, invites))
    _say_unclear(report)


def _head(part: PartReport) -> str:
    whose = "a list" if part.service == "" else f"{part.service}, {part.holds}"
    bad = f", {part.bad:,} of them cannot be read" if part.bad > 0 else ""
    return f"{part.part.name}: {whose}; {counted(part.lines, 'line', 'lines')}{bad}."


def _words(column: ColumnReport) -> str:
    words = [one for one in column.words if one.word != "" or one.becomes != NOTHING]
    shown = [_word(one) for one in words[:WORDS_SHOWN_MAX]]
    if len(words) > WORDS_SHOWN_MAX:
        shown.append(f"and {len(words) - WORDS_SHOWN_MAX:,} other words")
    return "; ".join(shown)


def _word(one: WordCount) -> str:
    word = '""' if one.word == "" else one.word
    return f"{word} ({one.lines:,}): {one.becomes}"


def _becomes(report: ListReport, is_confirmed: bool, invites: bool) -> str:
    """One line per outcome, in this order."""
    asked = "pending: will be asked to confirm"
    active = "pending: get nothing, unless you add --confirmed or --invite"
    pending = "pending: did not confirm there, and get nothing, unless you add --invite"
    if invites:
        active = pending = asked
    is_own = all(part.is_own for part in report.parts)
    words = {
        "active": "readers" if is_confirmed or is_own else active,
        "pending": pending,
        "left": "left: no mail until they sign up again",
        "suspended": "suspended",
        "complained": "complained: suppressed",
        "suppressed": "suppressed: bounced, complained or were blocked there",
        "hashes": "suppressed: not readers, known only by a hash",
        UNCLEAR: "left out: it is not clear what the list says about them",
    }
    becomes = report.becomes
    lines = [f"{becomes[what]:>11,}  {text}" for what, text in words.items() if becomes.get(what, 0) > 0]
    return "\n".join(["What will happen to them:", *lines])


def _say_doubts(part: PartReport) -> None:
    for column in part.reports:
        if len(column.doubts) == 0:
            continue
        words = ", ".join(f"{one.word} ({one.lines:,})" for one in column.doubts[:DOUBTS_SHOWN_MAX])
        # A word that explains away some of a column's values would leave the others in doubt.
        has_words = all(one.word not in PLACEHOLDERS for one in column.doubts)
        by_word = f'; or what its words mean: --word "{column.doubts[0].word}=left"' if has_words else ""
        say(
            f'The column "{column.name}" is not understood, and may say that people want no mail: {words}. '
            f'Say what it is: --column "state={column.name}" or --column "keep={column.name}"{by_word}.'
        )


def _say_unclear(report: ListReport) -> None:
    words = [
        one.word
        for part in report.parts
        for column in part.reports
        for one in column.words
        if one.leaves_out and one.word not in ("", *PLACEHOLDERS)
    ]
    if len(words) > 0:
        shown = ", ".join(f'"{word}"' for word in dict.fromkeys(words[:DOUBTS_SHOWN_MAX]))
        say(f"Not understood: {shown}. These people are left out until you say what it means, such as:")
        say(f'--word "{words[0]}=left" (or active, pending, suppressed, nothing)')


def say_bad(rows: Sequence[BadRow], count: int) -> None:
    """Print bad lines to standard error; `rows` are the first of `count`."""
    for row in rows:
        click.echo(printable(str(row)), err=True)
    if count > len(rows):
        click.echo(f"and {count - len(rows):,} more like these", err=True)


def import_sentence(report: ImportReport) -> str:
    counts = (
        (report.confirmed, "changed from pending to reader"),
        (report.known, "already known"),
        (report.left, "unsubscribed elsewhere"),
        (report.gone, "now suppressed"),
        (report.suppressed, "already suppressed"),
        (report.hashes, "suppressed by hash"),
        (report.unclear, "left out"),
        (report.bad_count, "could not be read"),
    )
    others = "".join(f", {count:,} {what}" for count, what in counts if count > 0)
    return f"{counted(report.lines, 'line', 'lines')}; {report.added:,} new{others}."


def say_import(name: str, report: ImportReport) -> None:
    say_bad(report.bad, report.bad_count)
    say(f"{name}: {import_sentence(report)}")
    if report.asked > 0:
        say(f"{counted(report.asked, 'person is', 'people are')} asked to confirm by mail.")
