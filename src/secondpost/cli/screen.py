"""Format output: tables and colours on a terminal, plain columns in a pipe, JSON for scripts.

Text from outside is made printable first: mail must not control the terminal it is shown on.
"""

import importlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap

import click

from secondpost.mail.printable import printable
from secondpost.owner.figures import moment

STYLES = {
    "delivered": "green",
    "waiting": "cyan",
    "claimed": "cyan",
    "held (primary)": "yellow",
    "held (owner)": "yellow",
    "kept": "red",
    "failed": "red",
    "expired": "red",
}
LABEL_CHARACTERS = 9  # of the labels in front of fields
LINE_CHARACTERS_MAX = 100  # of a sentence that is wrapped
FOLDED_CHARACTERS_MIN = 16  # the least width of a column that may shrink


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    right: bool = False
    folds: bool = False  # shrinks on a narrow terminal


def printable_lines(text: str) -> str:
    """Text of several lines, each made printable. Of all the line ends of Unicode only our own ends one:
    text from outside must not begin a line.
    """
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    return "\n".join(printable(line.replace("\t", "    ")) for line in lines)


def on_terminal() -> bool:
    return sys.stdout.isatty()


def say(text: str) -> None:
    click.echo(printable_lines(text))


def say_wrapped(text: str, begin: str = "", indent: str = "") -> None:
    """Print a text in lines that fit the terminal, the first behind `begin`, the others behind `indent`. A
    word that does not fit stays whole, so that it can be copied.
    """
    width = LINE_CHARACTERS_MAX
    if on_terminal():
        width = min(width, shutil.get_terminal_size().columns)
    lines = wrap(
        text,
        max(width, len(indent) + FOLDED_CHARACTERS_MIN),
        initial_indent=begin,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )
    for line in lines:
        say(line)


def say_field(label: str, text: str) -> None:
    """Print one line of a list of fields: the label, then the text."""
    say(f"{label:<{LABEL_CHARACTERS}} {text}")


def say_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    clean = [[printable(cell) for cell in row] for row in rows]
    widths = [
        max([len(column.title), *(len(row[number]) for row in clean)])
        for number, column in enumerate(columns)
    ]
    least = [
        min(width, FOLDED_CHARACTERS_MIN) if column.folds else width
        for width, column in zip(widths, columns, strict=True)
    ]
    if on_terminal() and sum(least) + 2 * len(least) <= shutil.get_terminal_size().columns:
        _rich_table(columns, least, clean)
        return
    # Without room for a table, long lines stay whole.
    for row in [[column.title for column in columns], *clean]:
        cells = [
            cell.rjust(width) if column.right else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _rich_table(columns: Sequence[Column], least: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column, width in zip(columns, least, strict=True):
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            overflow="fold",
            no_wrap=not column.folds,
            min_width=width,
        )
    for row in rows:
        table.add_row(*(Text(cell, style=style_of(cell)) for cell in row))
    Console(highlight=False).print(table)


def load_what_is_shown_with() -> None:
    """Import modules that are otherwise loaded on first use, before a command drops its rights."""
    for name in ("msgspec.json", "rich.console", "rich.live", "rich.table", "rich.text"):
        importlib.import_module(name)


def style_of(word: str) -> str:
    """The colour of a standing, or ""."""
    return STYLES.get(word) or STYLES.get(word.partition(" ")[0] if word.startswith("kept (") else "", "")


def say_json(document: object) -> None:
    """Print one document, and nothing else, on standard output."""
    import msgspec

    text = msgspec.json.format(msgspec.json.encode(document), indent=2).decode()
    click.echo(text if text.replace("\n", "").isprintable() else _escaped(text))


def _escaped(text: str) -> str:
    """The same JSON (RFC 8259 §7) with escapes for what is not printable, of which its encoder escapes only
    the characters below 32: others steer a terminal as well.
    """
    import json

    return "".join(c if c == "\n" or c.isprintable() else json.dumps(c)[1:-1] for c in text)


def local_time(milliseconds: int) -> str:
    """A time for people, in this machine's time zone, to the second."""
    return moment(milliseconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def progressing(text: str) -> None:
    """Show progress in one line of a terminal, overwritten each time; nothing elsewhere."""
    if sys.stderr.isatty():
        click.echo(f"\r{printable(text)}\x1b[K", nl=False, err=True)


def progressed() -> None:
    """Clear the line of `progressing`."""
    if sys.stderr.isatty():
        click.echo("\r\x1b[K", nl=False, err=True)
