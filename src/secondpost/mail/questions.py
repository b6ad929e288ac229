"""The questions of pure functions: a generator yields one and is sent its answer (world/asking)."""

from collections.abc import Generator
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from secondpost.mail.address import Domain, Mailbox

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Mx:
    """The MX records of a domain. Answered by MxAnswer."""

    domain: Domain

    def ask(self) -> Generator["Mx", "MxAnswer", "MxAnswer"]:
        """Use with `yield from`, which gives the answer its type."""
        return (yield self)


@dataclass(frozen=True, slots=True)
class Addresses:
    """The A and AAAA records of a host. Answered by AddressAnswer."""

    host: str

    def ask(self) -> Generator["Addresses", "AddressAnswer", "AddressAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class Txt:
    """The TXT records of a name. Answered by TxtAnswer."""

    name: str

    def ask(self) -> Generator["Txt", "TxtAnswer", "TxtAnswer"]:
        return (yield self)


class KnownRecipient(Struct, frozen=True, gc=False):
    """Whether a mailbox exists, at its primary or as an address of ours. Answered by Knowledge."""

    mailbox: Mailbox
    caller: str = ""  # the IP address of the client that named it
    learned_only: bool = False  # only what is known without asking the primary now

    def ask(self) -> Generator["KnownRecipient", "Knowledge", "Knowledge"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class DomainOctets:
    """Octets of a backup domain's mail, stored and incoming. Answered by OctetsAnswer."""

    domain: Domain

    def ask(self) -> Generator["DomainOctets", "OctetsAnswer", "OctetsAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class UnverifiedOctets:
    """As DomainOctets, only for addresses not known to exist. Answered by OctetsAnswer."""

    domain: Domain

    def ask(self) -> Generator["UnverifiedOctets", "OctetsAnswer", "OctetsAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class FreeOctets:
    """Free space beyond the reserve. Answered by octets, which may be negative."""

    def ask(self) -> Generator["FreeOctets", int, int]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class MayBringUnverified:
    """Whether a client's network may send another message to unverified addresses of a domain.

    Answered by bool. Each question counts as a message.
    """

    domain: Domain
    caller: str  # IP address

    def ask(self) -> Generator["MayBringUnverified", bool, bool]:
        return (yield self)


NameQuestion = Mx | Addresses | Txt  # answered from DNS; PolicyQuestion by the receive station
PolicyQuestion = KnownRecipient | DomainOctets | UnverifiedOctets | FreeOctets | MayBringUnverified


class Finding(StrEnum):
    """The result of a DNS question, apart from its records."""

    FOUND = "found"
    NO_DATA = "no data"  # the name exists, records of this type do not
    NO_NAME = "no such name"  # NXDOMAIN
    FAILED = "failed"  # SERVFAIL, time-out, malformed reply: nothing is known


@dataclass(frozen=True, slots=True, order=True)
class MxRecord:
    preference: int
    host: str  # lower case, no final dot; "." for a null MX (RFC 7505)


@dataclass(frozen=True, slots=True)
class MxAnswer:
    finding: Finding
    records: tuple[MxRecord, ...] = ()  # not empty if and only if found
    unusable: tuple[str, ...] = ()  # hosts of further records: addresses, and names that are none


@dataclass(frozen=True, slots=True)
class AddressAnswer:
    finding: Finding
    addresses: tuple[str, ...] = ()  # not empty if and only if found


@dataclass(frozen=True, slots=True)
class TxtAnswer:
    finding: Finding
    texts: tuple[str, ...] = ()  # the strings of each record joined; not empty if and only if found


class Knowledge(StrEnum):
    """What is known of a recipient."""

    KNOWN = "known"
    UNKNOWN = "unknown"  # the primary said so, or it is no valid address of ours
    UNREACHABLE = "unreachable"  # not known, and the primary cannot be asked now
    UNASKED = "unasked"  # not known, and too many questions to the primary are open


@dataclass(frozen=True, slots=True)
class OctetsAnswer:
    """Octets of mail: `stored`; `certain` to be stored; `expected`, which may never come.

    Expected are declared sizes, and the received part of incomplete messages.
    """

    stored: int
    certain: int
    expected: int


NameAnswer = MxAnswer | AddressAnswer | TxtAnswer
Asking = Generator[NameQuestion, NameAnswer, Result]
PolicyAnswer = Knowledge | OctetsAnswer | int | bool
AskingPolicy = Generator[PolicyQuestion, PolicyAnswer, Result]
