"""What a column of an exported list of readers may mean, and how one form of such a file is described.

services is the table that is written with these.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from types import MappingProxyType


class ReaderStanding(StrEnum):
    """What a list says of one person. Of all that one row says the strongest holds; each is stronger than
    the ones above it."""

    ACTIVE = "active"
    PENDING = "pending"  # asked for it and has not confirmed
    LEFT = "left"  # wants no mail (now), was removed, or never was a reader; may come back by the form
    SUPPRESSED = "suppressed"  # bounced, complained, blocked


class Plain(Enum):
    """A column that says nothing of the standing. Where several have one meaning the last value counts;
    names are joined."""

    ADDRESS = auto()
    NAME = auto()
    CREATED = auto()  # when the service first knew of them
    AGREED_AT = auto()
    AGREED_WHERE = auto()
    AGREED_FROM = auto()  # an IP address: kept as the prefix of its network only
    KEPT = auto()  # understood: no value of it says anything of the standing


@dataclass(frozen=True, slots=True)
class Words:
    """A column of words, each compared folded. None says nothing of the standing.

    A word that is not in `meanings` says something that we do not understand, which never leads to mail;
    where `is_open`, as in a column of names of lists, it says nothing.
    """

    meanings: Mapping[str, ReaderStanding | None]
    empty: ReaderStanding | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class YesNo:
    """A column of true and false, yes and no, 1 and 0; a date means yes. None says nothing; so does an empty
    cell. Any other value is a word that we do not understand."""

    yes: ReaderStanding | None
    no: ReaderStanding | None


@dataclass(frozen=True, slots=True)
class Moment:
    """A column of dates or reasons: any value means the standing, an empty cell says nothing."""

    standing: ReaderStanding


@dataclass(frozen=True, slots=True)
class AtLeast:
    """A column of numbers: `number` and more mean the standing; less, or an empty cell, says nothing."""

    number: int
    standing: ReaderStanding


Meaning = Plain | Words | YesNo | Moment | AtLeast


@dataclass(frozen=True, slots=True)
class ExportForm:
    """One form of file that a service writes. A file is of this form when all its `marks` are names of
    columns; of two forms that a file may be, the one whose marks include the other's, and of two with the
    same marks the one whose `file_name` it has."""

    service: str
    what: str  # what the form holds: "unsubscribed contacts"
    marks: frozenset[str]  # folded
    # Folded. A column that is not here is read as in a list of no known service: one that the owner made, or
    # that holds the owner's words, such as tags and notes.
    columns: Mapping[str, Meaning]
    whole: ReaderStanding | None = None  # what it means to be in such a file at all
    # JSON only: the name of the list of objects, "" for a file that is one list. Names inside objects and
    # lists are joined by dots ("lists.subscription_status"); each value in a list counts. A name that is in
    # `columns` stands for all below it that are not ("stats" for "stats.open_rate"); `marks` are names of
    # values.
    rows_at: str | None = None
    # Part of the name of the file, in small: the only thing that tells it from another form with the same
    # columns.
    file_name: str = ""
    # What such a file does not say though it matters, to follow "It does not say ". The owner has to know it
    # before anything is written.
    unsaid: str = ""


def folded(name: str) -> str:
    """What the spellings of one column's name or of one word share: its letters and digits in small, without
    accents, or where it has none ("[?]") all of it."""
    plain = name if name.isascii() else unicodedata.normalize("NFKD", name)
    kept = "".join(letter for letter in plain.casefold() if letter.isalnum())
    return kept if len(kept) > 0 else name.strip()


def each(meaning: Meaning, names: str) -> dict[str, Meaning]:
    """`names` as the service writes them, separated by commas."""
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
    """The words of each meaning as the service writes them, separated by commas."""
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
    """`marks` as the service writes them, separated by commas."""
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
