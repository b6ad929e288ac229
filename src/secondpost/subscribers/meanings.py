"""Possible meanings of a column in an exported list, and the description of one export format.

`services` is the table made of these.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType


class ReaderStanding(StrEnum):
    """What a list says about one person, weakest first; of all that one row says, the strongest
    holds.
    """

    ACTIVE = "active"
    PENDING = "pending"  # asked to subscribe and has not confirmed
    LEFT = "left"  # wants no mail now, was removed, or never was a reader; may sign up again
    SUPPRESSED = "suppressed"  # bounced, complained or blocked


class Plain(Enum):
    """A column that says nothing about the reader's standing.

    Where several columns have one meaning, the last value counts; names are joined.
    """

    ADDRESS = auto()
    NAME = auto()
    CREATED = auto()  # when the service first knew the reader
    AGREED_AT = auto()
    AGREED_WHERE = auto()
    AGREED_FROM = auto()  # an IP address; only the prefix of its network is kept
    KEPT = auto()  # known to say nothing about the standing


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words, compared folded; the value None means that the word says nothing.

    A word that is not in `meanings` is UNCLEAR, which never leads to mail; with `is_open`, as for a
    column of list names, it says nothing.
    """

    meanings: Mapping[str, ReaderStanding | None]
    empty: ReaderStanding | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class YesNo:
    """A column of true/false, yes/no or 1/0; a date means yes.

    None and an empty cell say nothing. Any other value is UNCLEAR.
    """

    yes: ReaderStanding | None
    no: ReaderStanding | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A column of dates or reasons: any value means the standing; an empty cell says nothing."""

    standing: ReaderStanding


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A column of numbers: `number` or more means the standing; less, or an empty cell, says
    nothing.
    """

    number: int
    standing: ReaderStanding


Meaning = Plain | Words | YesNo | Moment | AtLeast


@dataclass(frozen=True, slots=True)
class ExportForm:
    """One file format that a service exports.

    A file has this format if all `marks` are among its column names. If several formats match, the
    one with more marks wins, and between equal marks the one whose `file_name` is in the file's
    name.
    """

    service: str
    what: str  # what the file holds, such as "unsubscribed contacts"
    marks: frozenset[str]  # folded column names
    # Keyed by folded name. A column that is not here is read as in a list of no known service: the
    # owner made it, or it holds the owner's words, such as tags and notes.
    columns: Mapping[str, Meaning]
    whole: ReaderStanding | None = None  # the standing of everyone in such a file
    # JSON only: the name of the array of objects, "" for a file that is one array. Nested names are
    # joined by dots ("lists.subscription_status"), and each value of an array counts. A name in
    # `columns` covers all names below it that have no entry of their own ("stats" for
    # "stats.open_rate"); `marks` are names of values.
    rows_at: str | None = None
    # Lower-case part of the file's name, where nothing else tells it from another format with the
    # same columns.
    file_name: str = ""
    # What matters and such a file does not say; the owner must know it before anything is written.
    # Completes "It does not say ".
    unsaid: str = ""


def folded(name: str) -> str:
    """Normalise a column name or word: lower-case letters and digits without accents; if it has
    none ("[?]"), the text itself.
    """
    plain = name if name.isascii() else unicodedata.normalize("NFKD", name)
    kept = "".join(letter for letter in plain.casefold() if letter.isalnum())
    return kept if len(kept) > 0 else name.strip()


def each(meaning: Meaning, names: str) -> dict[str, Meaning]:
    """Map each of the comma-separated `names` to `meaning`."""
    return {folded(name): meaning for name in names.split(",")}


def words(
    *,
    active: str = "",
    pending: str = "",
    left: str = "",
    suppressed: str = "",
    nothing: str = "",
    empty: ReaderStanding | None = None,
    is_open: bool = False,
) -> Words:
    """Words by meaning; each argument lists them separated by commas."""
    by_standing = {
        ReaderStanding.ACTIVE: active,
        ReaderStanding.PENDING: pending,
        ReaderStanding.LEFT: left,
        ReaderStanding.SUPPRESSED: suppressed,
        None: nothing,
    }
    return Words(
        MappingProxyType(
            {
                folded(word): standing
                for standing, text in by_standing.items()
                if len(text) > 0
                for word in text.split(",")
            }
        ),
        empty=empty,
        is_open=is_open,
    )


def export_form(
    service: str,
    what: str,
    marks: str,
    columns: Mapping[str, Meaning],
    *,
    whole: ReaderStanding | None = None,
    rows_at: str | None = None,
    file_name: str = "",
    unsaid: str = "",
) -> ExportForm:
    """An export format; `marks` are separated by commas."""
    return ExportForm(
        service,
        what,
        frozenset(map(folded, marks.split(","))),
        MappingProxyType(dict(columns)),
        whole,
        rows_at,
        file_name,
        unsaid,
    )
