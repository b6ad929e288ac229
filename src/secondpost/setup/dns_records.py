"""Which DNS records the server and its newsletters need, and whether they exist. Pure: it yields
questions for DNS.

The content of an existing SPF or DMARC record is the owner's choice. It is only checked that there
is no second one: two count as none (RFC 7208 §4.5, RFC 7489 §6.6.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum

from secondpost.config.records import Config
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.questions import (
    Addresses,
    Asking,
    Finding,
    Mx,
    Txt,
    TxtAnswer,
)

STRING_OCTETS_MAX = 255


class RecordState(StrEnum):
    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # DNS did not answer


@dataclass(frozen=True, slots=True)
class DkimKey:
    """The public half of one of our keys, as a TXT record."""

    selector: str
    text: str


@dataclass(frozen=True, slots=True)
class Examined:
    """A required record, and what DNS has."""

    name: str
    type: str
    value: str  # what to publish
    state: RecordState
    found: tuple[str, ...]
    why: str  # what it is for

    @property
    def zone_line(self) -> str:
        """The record as a line of a zone file; long texts become several strings (RFC 1035 §3.3.14,
        RFC 6376 §3.6.2.2).
        """
        value = self.value if self.type != "TXT" else _strings(self.value)
        return f"{self.name}.  {self.type}  {value}"


def _strings(text: str) -> str:
    starts = range(0, len(text), STRING_OCTETS_MAX)
    return " ".join(f'"{text[start : start + STRING_OCTETS_MAX]}"' for start in starts)


def examine(config: Config, keys: Sequence[DkimKey]) -> Asking[tuple[Examined, ...]]:
    """Compare the required records with those in DNS, in the order in which to create them."""
    examined = [(yield from _mx(config)), (yield from _spf(config))]
    for domain in sender_domains(config):
        for key in keys:
            examined.append((yield from _dkim(domain, key)))
        examined.append((yield from _dmarc(domain)))
    return tuple(examined)


def sender_domains(config: Config) -> tuple[Domain, ...]:
    """The domains of all newsletters' `from` addresses, without repeats."""
    addresses = (parseaddr(newsletter.sender)[1] for newsletter in config.newsletters)
    return tuple(dict.fromkeys(Mailbox.parse(address).domain for address in addresses))


def _mx(config: Config) -> Asking[Examined]:
    bounces, hostname = config.bounces, config.hostname
    answer = yield from Mx(bounces).ask()
    found = tuple(f"{record.preference} {record.host}." for record in answer.records)
    state = _state_of(answer.finding)
    if state is RecordState.RIGHT and all(record.host != hostname.name for record in answer.records):
        state = RecordState.WRONG
    if state is RecordState.MISSING and bounces == hostname:
        # RFC 5321 §5.1: without MX records, the host itself is the MX.
        addresses = yield from Addresses(bounces.name).ask()
        state, found = _state_of(addresses.finding), addresses.addresses
    why = "reports about mail to readers, and mail from readers, reach this server"
    return Examined(bounces.name, "MX", f"10 {hostname}.", state, found, why)


def _spf(config: Config) -> Asking[Examined]:
    texts = yield from _texts(config.bounces.name)
    why = "this server may send for the domain of its envelope senders (SPF)"
    return _only_one(config.bounces.name, "v=spf1 a mx -all", "v=spf1", texts, why)


def _dkim(domain: Domain, key: DkimKey) -> Asking[Examined]:
    name = f"{key.selector}._domainkey.{domain}"
    answer = yield from _texts(name)
    state = _state_of(answer.finding)
    if state is RecordState.RIGHT and all(_key_in(text) != _key_in(key.text) for text in answer.texts):
        state = RecordState.WRONG
    why = f"the signature {key.selector} can be checked (DKIM)"
    return Examined(name, "TXT", key.text, state, answer.texts, why)


def _dmarc(domain: Domain) -> Asking[Examined]:
    name = f"_dmarc.{domain}"
    texts = yield from _texts(name)
    why = "large providers require it from everyone who sends to many (DMARC)"
    return _only_one(name, "v=DMARC1; p=none", "v=dmarc1", texts, why)


def _texts(name: str) -> Asking[TxtAnswer]:
    answer = yield from Txt(name).ask()
    return answer


def _only_one(name: str, value: str, begins: str, answer: TxtAnswer, why: str) -> Examined:
    found = tuple(text for text in answer.texts if text.lower().startswith(begins))
    state = _state_of(answer.finding)
    if state is RecordState.RIGHT and len(found) != 1:
        state = RecordState.MISSING if len(found) == 0 else RecordState.WRONG
    return Examined(name, "TXT", value, state, found, why)


def _key_in(text: str) -> str:
    """The `p=` value of a key record without white space (RFC 6376 §3.6.1), or ""."""
    for tag in text.split(";"):
        name, _, value = tag.partition("=")
        if name.strip() == "p":
            return "".join(value.split())
    return ""


def _state_of(finding: Finding) -> RecordState:
    match finding:
        case Finding.FOUND:
            return RecordState.RIGHT
        case Finding.FAILED:
            return RecordState.UNKNOWN
        case Finding.NO_DATA | Finding.NO_NAME:
            return RecordState.MISSING
