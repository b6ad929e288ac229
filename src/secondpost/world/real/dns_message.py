"""Writes DNS queries and reads replies: the part of dnspython's wire format that we need.

A reply is accepted only if it matches the question (RFC 5452 §3).
"""

from dataclasses import dataclass

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.CAA
import dns.rdtypes.ANY.CNAME
import dns.rdtypes.ANY.DS
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.NS
import dns.rdtypes.ANY.PTR
import dns.rdtypes.ANY.SOA
import dns.rdtypes.ANY.TLSA
import dns.rdtypes.ANY.TXT
import dns.rdtypes.IN.A
import dns.rdtypes.IN.AAAA
import dns.rrset
from dns.rdata import Rdata
from dns.rdatatype import RdataType

from secondpost.mail.address import AddressError, Domain, as_ip
from secondpost.mail.dns_questions import CaaRecord, TlsaRecord
from secondpost.mail.questions import Finding, MxRecord
from secondpost.protocols.dns.lookup import (
    CHAIN_MAX,
    DnsAnswer,
    DnsQuestion,
    DnsRecord,
    Leads,
    TruncatedReply,
    Unhelpful,
    UnusableMx,
    UpstreamReply,
)

UDP_OCTETS = 1232  # announced maximum, which avoids fragments (DNS flag day 2020, RFC 9715)
RECORDS_MAX = 64  # more hosts or addresses are useless
TEXTS_MAX = 1_000  # of many at a large domain, one may be its SPF record
IN = dns.rdataclass.IN


class NotAName(ValueError):
    """The text is no DNS name: a label is empty or over 63 octets, or the whole over 255."""


def write_question(question: DnsQuestion, number: int) -> bytes:
    """Write a query. Raises NotAName."""
    query = dns.message.make_query(
        _name(question.name), RdataType(question.type), IN, use_edns=0, payload=UDP_OCTETS, id=number
    )
    query.flags |= dns.flags.AD  # RFC 6840 §5.7: the reply's AD bit is wanted, without its signatures
    return query.to_wire()


def _name(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise NotAName(f"{text!r} is no name in DNS: {error}") from error


def read_reply(wire: bytes, number: int, question: DnsQuestion) -> UpstreamReply | None:
    """Read a reply; None if it does not answer the question, so the real one may still come."""
    if len(wire) < 12 or int.from_bytes(wire[:2]) != number:
        return None
    is_truncated = int.from_bytes(wire[2:4]) & dns.flags.TC != 0
    try:
        message = dns.message.from_wire(wire, question_only=is_truncated)
    except (dns.exception.DNSException, ValueError, IndexError):
        return None
    if message.flags & dns.flags.QR == 0 or message.opcode() != dns.opcode.QUERY:
        return None
    rcode = message.rcode()
    if len(message.question) == 0 and rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Unhelpful(dns.rcode.to_text(rcode))  # FORMERR may come without the question
    if not _is_to(message, question):
        return None
    if is_truncated:
        return TruncatedReply()
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        return Unhelpful(dns.rcode.to_text(rcode))
    return _judge(message, question)


def _is_to(message: dns.message.Message, question: DnsQuestion) -> bool:
    if len(message.question) != 1:
        return False
    asked = message.question[0]
    return (
        asked.name == _name(question.name)
        and asked.rdtype == RdataType(question.type)
        and asked.rdclass == IN
    )


def _judge(message: dns.message.Message, question: DnsQuestion) -> UpstreamReply:
    """Follow the CNAMEs in the answer to the records, or to a negative answer."""
    name, ttl_seconds = _name(question.name), None
    is_validated = message.flags & dns.flags.AD != 0
    for _ in range(CHAIN_MAX + 1):
        found = _set(message, name, RdataType(question.type))
        if found is not None:
            return _found(found, _least(ttl_seconds, found.ttl), is_validated)
        alias = _set(message, name, dns.rdatatype.CNAME)
        if alias is None:
            return _nothing(message, question, name, ttl_seconds)
        ttl_seconds = _least(ttl_seconds, alias.ttl)
        target = next(iter(alias))
        if not isinstance(target, dns.rdtypes.ANY.CNAME.CNAME):
            return Unhelpful("a CNAME that is none")
        name = target.target
    return Unhelpful(f"more than {CHAIN_MAX} CNAMEs")


def _set(message: dns.message.Message, name: dns.name.Name, kind: RdataType) -> dns.rrset.RRset | None:
    return message.get_rrset(message.answer, name, IN, kind)


def _least(one: int | None, other: int) -> int:
    return other if one is None else min(one, other)


def _nothing(
    message: dns.message.Message, question: DnsQuestion, name: dns.name.Name, ttl_seconds: int | None
) -> UpstreamReply:
    """A negative answer (RFC 2308 §2): NXDOMAIN is about the last CNAME, an SOA means no data."""
    is_validated = message.flags & dns.flags.AD != 0
    denial = _denial(message)
    seconds = denial.seconds if denial is not None else 0
    zone = denial.zone if denial is not None else ""
    if message.rcode() == dns.rcode.NXDOMAIN:
        return DnsAnswer(Finding.NO_NAME, (), _least(ttl_seconds, seconds), is_validated, zone)
    if denial is not None:
        return DnsAnswer(Finding.NO_DATA, (), _least(ttl_seconds, seconds), is_validated, zone)
    if ttl_seconds is not None:
        return Leads(_text(name), ttl_seconds, is_validated)
    if any(authority.rdtype == dns.rdatatype.NS for authority in message.authority):
        return Unhelpful("a referral: this server does not look further")
    return DnsAnswer(Finding.NO_DATA, is_validated=is_validated)


@dataclass(frozen=True, slots=True)
class _Denial:
    """The SOA record beside a negative answer."""

    zone: str
    seconds: int  # RFC 2308 §5: the lower of the SOA's TTL and its MINIMUM field


def _denial(message: dns.message.Message) -> _Denial | None:
    for authority in message.authority:
        for soa in authority:
            if isinstance(soa, dns.rdtypes.ANY.SOA.SOA):
                return _Denial(_text(authority.name), min(authority.ttl, soa.minimum))
    return None


def _found(found: dns.rrset.RRset, ttl_seconds: int, is_validated: bool) -> UpstreamReply:
    records = [record for record in (_record(found, rdata) for rdata in found) if record is not None]
    records_max = TEXTS_MAX if found.rdtype == dns.rdatatype.TXT else RECORDS_MAX
    known = list(dict.fromkeys(records))[:records_max]
    if len(known) > 1:  # RFC 7505 §3: a null MX is valid only alone
        known = [it for it in known if not (isinstance(it, MxRecord) and it.host == ".")]
    if len(known) == 0:
        return Unhelpful("none of the records can be used")
    if all(isinstance(record, UnusableMx) for record in known):
        return DnsAnswer(Finding.FAILED, tuple(known))
    return DnsAnswer(Finding.FOUND, tuple(known), ttl_seconds, is_validated)


def _record(found: dns.rrset.RRset, rdata: Rdata) -> DnsRecord | None:
    """The record in our form; None if it is useless."""
    match rdata:
        case dns.rdtypes.ANY.MX.MX():
            return _mx_record(rdata.preference, _text(rdata.exchange))
        case dns.rdtypes.IN.A.A() | dns.rdtypes.IN.AAAA.AAAA():
            address = as_ip(rdata.address)
            if address is None or address.is_unspecified or address.is_multicast:
                return None
            return str(address)
        case dns.rdtypes.ANY.TXT.TXT():
            # RFC 7208 §3.3, RFC 6376 §3.6.2.2: several strings are joined without a space.
            return b"".join(rdata.strings).decode("utf-8", "replace")
        case dns.rdtypes.ANY.CNAME.CNAME() | dns.rdtypes.ANY.NS.NS() | dns.rdtypes.ANY.PTR.PTR():
            return _text(rdata.target)
        case dns.rdtypes.ANY.TLSA.TLSA():
            return TlsaRecord(rdata.usage, rdata.selector, rdata.mtype, rdata.cert.hex())
        case dns.rdtypes.ANY.CAA.CAA():
            # RFC 8659 §4.1: tags are compared without regard to case.
            return CaaRecord(rdata.flags, _ascii(rdata.tag).lower(), _ascii(rdata.value))
        case dns.rdtypes.ANY.SOA.SOA() | dns.rdtypes.ANY.DS.DS():
            return _text(found.name)
    return None


def _ascii(octets: bytes) -> str:
    return octets.decode("ascii", "replace")


def _mx_record(preference: int, host: str) -> MxRecord | UnusableMx:
    if host == ".":
        return MxRecord(0, ".")
    try:
        # RFC 5321 §5.1: an MX names a host, not an address; a common mistake.
        return UnusableMx(host) if as_ip(host) is not None else MxRecord(preference, Domain.parse(host).name)
    except AddressError:
        return UnusableMx(host)


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
