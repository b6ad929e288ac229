"""What one line of a list says about one person, and why a line or a whole list could not be read."""

from dataclasses import dataclass
from enum import IntEnum

from msgspec import Struct

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.subscriber import Consent, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.store.subscriber_ports import HashedSuppression, Suppression
from secondpost.subscribers.meanings import ReaderStanding
from secondpost.subscribers.typed import NotAReader, check_reader


class RowVerdict(IntEnum):
    """What a cell or a row says; of several, the greatest holds.

    UNCLEAR stands for an unknown word: it never leads to mail, and only a clear word that no mail
    is wanted outranks it.
    """

    NOTHING = 0
    ACTIVE = 1
    PENDING = 2
    UNCLEAR = 3
    LEFT = 4
    SUPPRESSED = 5


VERDICTS = {standing: RowVerdict[standing.name] for standing in ReaderStanding}


class Agreed(Struct, frozen=True, gc=False):
    """What a list says about a reader's consent."""

    at_ms: int | None = None
    where: str = ""
    prefix: str = ""  # of the network they agreed from


class ReaderRow(Struct, frozen=True, gc=False):
    """A line about one reader. As a Struct it is made in a fraction of a dataclass's time."""

    line: int  # from 1
    mailbox: Mailbox
    verdict: RowVerdict = RowVerdict.ACTIVE
    attributes: tuple[tuple[str, str], ...] = ()
    said: str = ""  # the column and word that made them left or suppressed
    reason: Reason = Reason.IMPORTED  # for the suppression
    created_ms: int | None = None
    left_ms: int | None = None
    agreed: Agreed | None = None


@dataclass(frozen=True, slots=True)
class OwnRow:
    """A reader in our own export, with the state and all else as it was."""

    line: int
    mailbox: Mailbox
    state: SubscriberState
    since_ms: int | None
    created_ms: int | None
    consent: Consent | None
    suppressions: tuple[Suppression, ...]
    attributes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HashRow:
    """A line of our own export for a suppressed address that is not a reader: only its hash."""

    line: int
    suppressions: tuple[HashedSuppression, ...]


@dataclass(frozen=True, slots=True)
class BadRow:
    line: int
    why: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.why}"


ListRow = ReaderRow | OwnRow | HashRow | BadRow


def checked(row: ListRow, own: frozenset[Domain]) -> ListRow:
    """Turn a row whose address cannot be a reader's into a BadRow; `own` as in check_reader."""
    if isinstance(row, BadRow | HashRow):
        return row
    try:
        check_reader(row.mailbox, own)
    except NotAReader as fault:
        return BadRow(row.line, str(fault))
    return row


class NoList(ValueError):
    """The file is not a list of readers that can be imported. The text says why, and what would be."""


class NoAddresses(NoList):
    """None of its columns holds addresses."""
