"""Questions about a zone that are not asked to deliver a message: what is published beside the MX, the
addresses and the texts, the addresses of one kind alone, and whether the zone is signed.

As in mail/questions, a failure is a finding, and nothing is raised. `is_validated` is the AD bit
(RFC 4035 §3.2.3): the resolver says that it has validated the answer. It is worth as much as the
resolver and the way to it.
"""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from secondpost.mail.address import Domain
from secondpost.mail.questions import (
    AddressAnswer,
    Addresses,
    Finding,
    Mx,
    MxAnswer,
    NameAnswer,
    NameQuestion,
    Txt,
    TxtAnswer,
)

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ptr:
    """The host names that the owner of an IP address gives it. Answered by PtrAnswer."""

    address: str

    def ask(self) -> Generator["Ptr", "PtrAnswer", "PtrAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class AddressRecords:
    """The A (`version` 4) or AAAA (6) records of a name; a name that is an address has none.

    Answered by AddressAnswer.
    """

    host: str
    version: Literal[4, 6]

    def ask(self) -> Generator["AddressRecords", AddressAnswer, AddressAnswer]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class Tlsa:
    """The TLSA records of a service, such as _25._tcp.mx.example.net. Answered by TlsaAnswer."""

    name: str

    def ask(self) -> Generator["Tlsa", "TlsaAnswer", "TlsaAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class Caa:
    """The CAA records of this very name; setup/facts climbs the tree. Answered by CaaAnswer."""

    name: str

    def ask(self) -> Generator["Caa", "CaaAnswer", "CaaAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class Alias:
    """The CNAME record of this very name. Answered by AliasAnswer."""

    name: str

    def ask(self) -> Generator["Alias", "AliasAnswer", "AliasAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class ZoneOf:
    """The zone in which a name lies, or would lie. Answered by ZoneAnswer."""

    name: str

    def ask(self) -> Generator["ZoneOf", "ZoneAnswer", "ZoneAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class Ds:
    """Whether the parent zone says that this zone is signed. Answered by DsAnswer."""

    zone: str

    def ask(self) -> Generator["Ds", "DsAnswer", "DsAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class Ns:
    """The name servers of a zone. Answered by NsAnswer."""

    zone: str

    def ask(self) -> Generator["Ns", "NsAnswer", "NsAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class StsPolicy:
    """The MTA-STS policy that a domain serves (RFC 8461 §3.3). Answered by StsPolicyAnswer."""

    domain: Domain

    def ask(self) -> Generator["StsPolicy", "StsPolicyAnswer", "StsPolicyAnswer"]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class PtrAnswer:
    finding: Finding
    hosts: tuple[str, ...] = ()  # lower case, no final dot; not empty if and only if found


@dataclass(frozen=True, slots=True, order=True)
class TlsaRecord:
    """RFC 6698 §2.1."""

    usage: int
    selector: int
    matching: int
    data: str  # hexadecimal, lower case

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching} {self.data}"


@dataclass(frozen=True, slots=True)
class TlsaAnswer:
    finding: Finding
    records: tuple[TlsaRecord, ...] = ()  # not empty if and only if found
    is_validated: bool = False
    ttl_seconds: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, order=True)
class CaaRecord:
    """RFC 8659 §4.1."""

    flags: int
    tag: str  # lower case
    value: str


@dataclass(frozen=True, slots=True)
class CaaAnswer:
    finding: Finding
    records: tuple[CaaRecord, ...] = ()  # not empty if and only if found


@dataclass(frozen=True, slots=True)
class AliasAnswer:
    finding: Finding
    target: str = ""  # not empty if and only if found


@dataclass(frozen=True, slots=True)
class ZoneAnswer:
    finding: Finding  # found or failed
    zone: str = ""  # the name of its apex; not empty if and only if found
    is_validated: bool = False


@dataclass(frozen=True, slots=True)
class DsAnswer:
    finding: Finding


@dataclass(frozen=True, slots=True)
class NsAnswer:
    finding: Finding
    hosts: tuple[str, ...] = ()  # not empty if and only if found


@dataclass(frozen=True, slots=True)
class StsPolicyAnswer:
    text: str = ""
    problem: str = ""  # why there is no text, fit for a sentence; "" if it was fetched


ZoneQuestion = NameQuestion | AddressRecords | Ptr | Tlsa | Caa | Alias | ZoneOf | Ds | Ns | StsPolicy
AnswerOfZone = (
    NameAnswer
    | PtrAnswer
    | TlsaAnswer
    | CaaAnswer
    | AliasAnswer
    | ZoneAnswer
    | DsAnswer
    | NsAnswer
    | StsPolicyAnswer
)
AskingZone = Generator[ZoneQuestion, AnswerOfZone, Result]


def unanswered(question: ZoneQuestion) -> AnswerOfZone:
    """The answer if nothing is known."""
    match question:
        case Mx():
            return MxAnswer(Finding.FAILED)
        case Addresses() | AddressRecords():
            return AddressAnswer(Finding.FAILED)
        case Txt():
            return TxtAnswer(Finding.FAILED)
        case Ptr():
            return PtrAnswer(Finding.FAILED)
        case Tlsa():
            return TlsaAnswer(Finding.FAILED)
        case Caa():
            return CaaAnswer(Finding.FAILED)
        case Alias():
            return AliasAnswer(Finding.FAILED)
        case ZoneOf():
            return ZoneAnswer(Finding.FAILED)
        case Ds():
            return DsAnswer(Finding.FAILED)
        case Ns():
            return NsAnswer(Finding.FAILED)
        case StsPolicy():
            return StsPolicyAnswer(problem="it did not come in time")
