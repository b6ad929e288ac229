"""Reads lists of readers: CSV as people and other programs write it, one line after the other.

A head names the columns: `email`, or what listmonk, Mailchimp, Ghost, Substack and Buttondown call it. A list
without a head, one address a line, is read too. A line that cannot be read is named by its number; what
it holds is not repeated, for lists of people do not belong into logs.
"""

import codecs
import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from secondpost.mail.address import Mailbox
from secondpost.subscribers.typed import typed_mailbox

ATTRIBUTES_MAX = 30  # other columns that are kept
NAME_CHARACTERS_MAX = 60
VALUE_CHARACTERS_MAX = 500
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute such a cell

_EMAIL = frozenset(
    {
        "email", "e-mail", "mail", "email address", "e-mail address", "email_address", "emailaddress",
        "subscriber email", "subscriber_email", "user_email", "e-post", "e-mail-adresse",
    }
)  # fmt: skip
_PERHAPS_EMAIL = frozenset({"address", "subscriber"})  # where no other is: it may be where somebody lives
# What says that someone is not to be written to: the column, and the words in it that mean so.
_STATE = frozenset({"state", "status", "subscriber_status", "member_status", "subscription_status"})
# Of these words letters alone count: "Opted-out" is "optedout". Whatever stands in none of the sets is a
# doubt, and a doubt makes nobody a reader.
_GONE = frozenset(
    {
        "unsubscribed", "unsubscribe", "unsub", "optedout", "optout", "cleaned", "blocklisted", "blacklisted",
        "blocked", "banned", "disabled", "bounced", "bounce", "hardbounced", "softbounced", "complained",
        "complaint", "spam", "abuse", "left", "suspended", "removed", "deleted", "archived", "undeliverable",
        "invalid", "inactive", "suppressed", "false", "no",
    }
)  # fmt: skip
_WAITING = frozenset({"pending", "unconfirmed", "notconfirmed", "unactivated", "nonsubscribed", "invited"})
_ACTIVE = frozenset(
    {
        "active", "subscribed", "subscriber", "confirmed", "enabled", "regular", "premium", "free", "paid",
        "comped", "gifted", "trialing", "member", "true", "yes",
    }
)  # fmt: skip
_NO_COLUMNS = frozenset({"subscribed_to_emails", "subscribed"})  # Ghost: false means that they do not want it
_YES_COLUMNS = frozenset(
    {
        "email_disabled", "unsubscribed", "blocklisted", "bounced", "suppressed", "optout", "opt_out",
        "opt-out", "opt out", "opted_out", "opted-out", "opted out",
    }
)  # fmt: skip
_TIME_COLUMNS = frozenset({"unsub_time", "clean_time", "unsubscribed_at"})  # Mailchimp: any value means gone
_TELLING = _STATE | _NO_COLUMNS | _YES_COLUMNS | _TIME_COLUMNS
_FALSE = frozenset({"false", "no", "0", "f", "n"})
_TRUE = frozenset({"true", "yes", "1", "t", "y"})
# Of our own export.
_OWN = frozenset({"agreed_where", "agreed_how", "agreed_at", "since", "created", "suppressed"})


@dataclass(frozen=True, slots=True)
class Row:
    line: int  # from 1, as an editor counts
    mailbox: Mailbox
    attributes: tuple[tuple[str, str], ...] = ()
    is_gone: bool = False  # the list says that they are not to be written to
    is_waiting: bool = False  # the list says that they never confirmed, or nothing that we understand
    is_unclear: bool = False  # of those the second


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}"


class NoList(ValueError):
    """The whole is no list of addresses. The text says what would be one."""


def encoding_of(head: bytes) -> str:
    """From the first some thousand octets of a file: what spreadsheets write, else UTF-8, else Windows's."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def rows_of(lines: Iterable[str]) -> Iterator[Row | BadRow]:
    """Raises NoList when there is no column with addresses."""
    source = iter(lines)
    head = ""
    skipped = 0
    for line in source:
        if len(line.strip("\ufeff \t\r\n")) > 0:
            head = line.removeprefix("\ufeff")
            break
        skipped += 1
    else:
        return
    delimiter = max(",;\t", key=head.count)
    try:
        first = next(csv.reader([head], delimiter=delimiter), [])
    except csv.Error as error:
        raise NoList(f"its first line cannot be read: {error}") from error
    columns = _columns(first)
    rest = source if columns.is_named else _with_first(head, source)
    before = skipped + (1 if columns.is_named else 0)
    # Strict: a quotation mark that nobody closes would make the lines below it part of one reader.
    reader = csv.reader(rest, delimiter=delimiter, strict=True)
    while True:
        line_number = before + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            last = before + reader.line_num
            lost = f"; nothing up to line {last} was read" if last > line_number else ""
            yield BadRow(line_number, f"{error}{lost}")
            continue
        if any(len(cell.strip()) > 0 for cell in cells):
            yield columns.row(line_number, cells)


def _with_first(head: str, source: Iterator[str]) -> Iterator[str]:
    yield head
    yield from source


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where things stand in a line: columns by number, with their names in lower case."""

    is_named: bool  # a list without a head has no names
    email: int
    kept: tuple[tuple[int, str], ...] = ()  # as attributes
    telling: tuple[tuple[int, str], ...] = ()  # whether someone is to be written to

    def row(self, line: int, cells: list[str]) -> Row | BadRow:
        if len(cells) <= self.email:
            return BadRow(line, f"it has {len(cells)} columns, and the address is in number {self.email + 1}")
        try:
            mailbox = typed_mailbox(plain_cell(cells[self.email]))
        except ValueError:
            return BadRow(line, "there is no address that mail can be sent to")
        told = [(name, _value(cells[number]).lower()) for number, name in self.telling if number < len(cells)]
        states = [_letters(value) for name, value in told if name in _STATE and len(value) > 0]
        is_unclear = any(state not in _GONE | _WAITING | _ACTIVE for state in states) or any(
            _is_no_yes_or_no(name, value) for name, value in told
        )
        return Row(
            line=line,
            mailbox=mailbox,
            attributes=self._attributes(cells),
            is_gone=any(_says_gone(name, value) for name, value in told),
            is_waiting=is_unclear or any(state in _WAITING for state in states),
            is_unclear=is_unclear,
        )

    def _attributes(self, cells: list[str]) -> tuple[tuple[str, str], ...]:
        found = [
            (name[:NAME_CHARACTERS_MAX], value[:VALUE_CHARACTERS_MAX])
            for number, column in self.kept
            if number < len(cells)
            for name, value in _attributes(column, _value(cells[number]))
            if len(value) > 0
        ]
        return tuple(found[:ATTRIBUTES_MAX])


def _columns(first: list[str]) -> _Columns:
    names = tuple(" ".join(cell.lower().split()) for cell in first)
    for titles in (_EMAIL, _PERHAPS_EMAIL):
        for email in (number for number, name in enumerate(names) if name in titles):
            others = [(number, name) for number, name in enumerate(names) if number != email]
            return _Columns(
                is_named=True,
                email=email,
                kept=tuple((n, name) for n, name in others if len(name) > 0 and not _is_ours(name)),
                telling=tuple((n, name) for n, name in others if name in _TELLING),
            )
    for number, cell in enumerate(first):
        try:
            typed_mailbox(plain_cell(cell))
        except ValueError:
            continue
        return _Columns(is_named=False, email=number)
    raise NoList('no column is called "email", and the first line holds no address')


def _attributes(column: str, cell: str) -> list[tuple[str, str]]:
    """One, or all that stand in a column of JSON, which listmonk and we ourselves write."""
    if column == "attributes" and cell.startswith("{"):
        try:
            told = json.loads(cell)
        except (ValueError, RecursionError):
            return [(column, cell)]
        return [
            (_whole(name), _whole(value) if isinstance(value, str) else json.dumps(value))
            for name, value in told.items()
        ]
    return [(column, cell)]


def _whole(text: str) -> str:
    """JSON can spell half a character, which nothing can keep."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_ours(name: str) -> bool:
    return name in _STATE or name in _OWN


def _says_gone(name: str, value: str) -> bool:
    return (
        (name in _STATE | _NO_COLUMNS and _letters(value) in _GONE)
        or (name in _NO_COLUMNS and value in _FALSE)
        or (name in _YES_COLUMNS and (value in _TRUE or _counts_or_dates(value)))
        or (name in _TIME_COLUMNS and len(value) > 0)
    )


def _counts_or_dates(value: str) -> bool:
    """How often, or when: it happened."""
    return any(digit in value for digit in "123456789")


def _is_no_yes_or_no(name: str, value: str) -> bool:
    """What stands in a column of yes and no, and is neither."""
    if name not in _NO_COLUMNS | _YES_COLUMNS or len(value) == 0 or value in _TRUE | _FALSE:
        return False
    is_active = name in _NO_COLUMNS and _letters(value) in _ACTIVE
    return not is_active and not _says_gone(name, value)


def _letters(state: str) -> str:
    return "".join(letter for letter in state if letter.isalpha())


def _value(cell: str) -> str:
    return plain_cell(cell).strip()


def safe_cell(text: str) -> str:
    """For a file that somebody will open in a spreadsheet."""
    return f"'{text}" if text.lstrip("'").startswith(FORMULA_STARTS) else text


def plain_cell(text: str) -> str:
    """What safe_cell was given."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(FORMULA_STARTS) else text
