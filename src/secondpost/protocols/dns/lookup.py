"""The rules of one DNS look-up: which server to query next, how, how long to wait, when to give up.

A generator that yields queries and is sent their replies; it uses no socket and no clock. RFC 1035
§7, RFC 2308, RFC 7766 (TCP after a truncated answer), RFC 9520 §3.1 (bounded retries).
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from enum import Enum, IntEnum

from secondpost.mail.dns_questions import CaaRecord, TlsaRecord
from secondpost.mail.questions import Finding, MxRecord

ROUND_SECONDS = (2.0, 3.0, 4.0)  # time-out of each query; every server is queried once per round
LOOKUP_SECONDS_MAX = 12.0  # for the whole look-up, with all CNAMEs and servers
CHAIN_MAX = 8  # CNAMEs followed, within one answer and over several


class RecordType(IntEnum):
    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    MX = 15
    TXT = 16
    AAAA = 28
    DS = 43
    TLSA = 52
    CAA = 257


@dataclass(frozen=True, slots=True)
class DnsQuestion:
    name: str  # lower case, no final dot; "." is the root
    type: RecordType


@dataclass(frozen=True, slots=True)
class UnusableMx:
    """An MX record whose host is an address, or no valid name. Mail cannot go there."""

    host: str


# An address, a text and a name (of CNAME, NS, PTR, and of the zone with a SOA or DS) are a str.
DnsRecord = MxRecord | UnusableMx | TlsaRecord | CaaRecord | str


@dataclass(frozen=True, slots=True)
class DnsAnswer:
    """The result of a look-up, and how long it may be cached."""

    finding: Finding
    records: tuple[DnsRecord, ...] = ()
    ttl_seconds: int = 0
    is_validated: bool = False  # the AD bit of every reply that led here
    zone: str = ""  # of a negative answer: the zone that says so, if it says which it is


FAILED = DnsAnswer(Finding.FAILED)


@dataclass(frozen=True, slots=True)
class Leads:
    """The answer is a CNAME without records of its target."""

    name: str
    ttl_seconds: int
    is_validated: bool = False


@dataclass(frozen=True, slots=True)
class TruncatedReply:
    """The answer was too large for UDP."""


@dataclass(frozen=True, slots=True)
class Unhelpful:
    """SERVFAIL, REFUSED, a malformed reply or no server there: querying it again is useless."""

    reason: str


@dataclass(frozen=True, slots=True)
class Silence:
    """No reply in time: the query or the reply may have been lost."""


UpstreamReply = DnsAnswer | Leads | TruncatedReply | Unhelpful | Silence


class Carrier(Enum):
    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True)
class Ask:
    """A query that the caller has to send."""

    server: int  # index into the list of servers
    question: DnsQuestion
    carrier: Carrier
    seconds: float  # how long to wait for the reply


@dataclass(frozen=True, slots=True)
class TimedReply:
    """The reply to an Ask."""

    reply: UpstreamReply
    seconds: float  # how long the reply took


Lookup = Generator[Ask, TimedReply, DnsAnswer]


@dataclass(slots=True)
class _Patience:
    seconds: float = LOOKUP_SECONDS_MAX


def look_up(question: DnsQuestion, servers: Sequence[int]) -> Lookup:
    """Look up a name; `servers` in the order in which to query them."""
    patience = _Patience()
    ttl_seconds: int | None = None  # the lowest of the CNAMEs followed so far
    is_validated = True  # every CNAME followed so far
    asked = question
    for _ in range(CHAIN_MAX + 1):
        reply = yield from _ask_around(asked, servers, patience)
        if ttl_seconds is not None:
            reply = replace(
                reply,
                ttl_seconds=min(reply.ttl_seconds, ttl_seconds),
                is_validated=reply.is_validated and is_validated,
            )
        if isinstance(reply, DnsAnswer):
            return reply
        ttl_seconds, is_validated = reply.ttl_seconds, reply.is_validated
        asked = DnsQuestion(reply.name, question.type)
    return FAILED


def _ask_around(
    question: DnsQuestion, servers: Sequence[int], patience: _Patience
) -> Generator[Ask, TimedReply, DnsAnswer | Leads]:
    helpful = list(servers)
    for seconds in ROUND_SECONDS:
        for server in tuple(helpful):
            reply = yield from _ask(server, question, seconds, patience)
            match reply:
                case DnsAnswer() | Leads():
                    return reply
                case TruncatedReply() | Unhelpful():
                    helpful.remove(server)
                case Silence() if patience.seconds <= 0:
                    return FAILED
    return FAILED


def _ask(
    server: int, question: DnsQuestion, seconds: float, patience: _Patience
) -> Generator[Ask, TimedReply, UpstreamReply]:
    reply: UpstreamReply = Silence()
    for carrier in (Carrier.UDP, Carrier.TCP):
        if patience.seconds <= 0:
            return Silence()
        heard = yield Ask(server, question, carrier, min(seconds, patience.seconds))
        patience.seconds -= heard.seconds
        reply = heard.reply
        if not isinstance(reply, TruncatedReply):
            break
    return reply
