"""Explains what the primary wrote about a message that came through this server, and whether it trusts
us. Pure: a header goes in, diagnoses come out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secondpost.mail.address import as_ip
from secondpost.protocols.authentication_results import parse_authentication_results
from secondpost.route.hosts import Ourselves
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.header_chain import HandOver, HeaderChain, read_chain
from secondpost.setup.header_results import PASSES, domain_of_spf, result_diagnoses
from secondpost.setup.pasted_headers import PastedField
from secondpost.setup.primary_findings import PrimaryFindings, SpamFinding, Trust, findings_of
from secondpost.setup.primary_kind import PrimaryKind, kinds_of_header, kinds_of_host
from secondpost.setup.trust_settings import Relay, trust_settings

SPAM_TEXT_CHARACTERS_MAX = 200
SERVER_CHARACTERS_MAX = 100  # of a name that anyone may have written
OTHERS_SHOWN_MAX = 10  # lines of others; a sender may write as many as fit into a header
CHECK_FIELDS = ("authentication-results", "arc-authentication-results", "received-spf")


@dataclass(frozen=True, slots=True)
class HeaderReading:
    """What a header says: who wrote its lines, what the primary found out, and what that means."""

    chain: HeaderChain
    findings: PrimaryFindings
    kinds: tuple[PrimaryKind, ...]
    diagnoses: tuple[Diagnosis, ...]


def read_header(
    fields: Sequence[PastedField], us: Ourselves, relay: Relay, mx_hosts: Sequence[str] = ()
) -> HeaderReading:
    """`mx_hosts`: of the primary, to recognise its kind."""
    chain = read_chain(fields, us, mx_hosts)
    findings = findings_of(chain, us)
    by = "" if chain.taker is None else chain.taker.by
    kinds = kinds_of_header(chain.primary, by)
    if len(kinds) == 0:
        kinds = kinds_of_host(mx_hosts)
    diagnoses = tuple(_diagnoses(chain, findings, kinds, relay))
    return HeaderReading(chain, findings, kinds, diagnoses)


def _diagnoses(
    chain: HeaderChain, findings: PrimaryFindings, kinds: Sequence[PrimaryKind], relay: Relay
) -> Iterator[Diagnosis]:
    yield _way(chain, relay)
    if chain.hand_over is not HandOver.NOT_THROUGH_US and chain.hand_over is not HandOver.CONTRADICTED:
        yield from result_diagnoses(findings, relay)
        yield from (_spam(one) for one in findings.spam)
        yield _trust(chain, findings, kinds, relay)
    if chain.ours is not None:
        yield from _others(chain)


def _way(chain: HeaderChain, relay: Relay) -> Diagnosis:
    taker = chain.taker
    grade, remedy = Grade.WARNING, ""
    match chain.hand_over:
        case HandOver.PROVEN:
            assert taker is not None
            grade, text = Grade.WELL, f"{taker.by} took the message from this server, at {taker.address}."
        case HandOver.BY_NAME:
            assert taker is not None
            where = f"at {taker.address}, which is not known as an address of this server"
            place = where if len(taker.address) > 0 else "and does not say at which address"
            grade, text = Grade.NOTE, f"{taker.by} took the message from {relay.name}, {place}."
            remedy = f'addresses = ["{taker.address}"]' if len(taker.address) > 0 else ""
        case HandOver.CONTRADICTED:
            assert taker is not None
            client = taker.client if len(taker.address) == 0 else f"{taker.client} [{taker.address}]"
            text = (
                f"There is a line of {relay.name}, but {taker.by} took the message from {client}: the line "
                "is forged, or the message went on to other servers. Nothing can be said of the primary."
            )
            remedy = "paste the header of a message that came through this server to the primary"
        case HandOver.UNSEEN:
            grade = Grade.NOTE
            text = f"No server wrote a Received line above that of {relay.name}: the header may be cut off."
            remedy = "paste the whole header, from its first line on"
        case HandOver.NOT_THROUGH_US:
            text = f"No line is from {relay.name}: the message did not come through this server."
            remedy = "secondpost check delivery DOMAIN sends a message that does"
    return Diagnosis(Check.HEADER_WAY, relay.name, grade, text, remedy)


def _trust(
    chain: HeaderChain, findings: PrimaryFindings, kinds: Sequence[PrimaryKind], relay: Relay
) -> Diagnosis:
    name = " with ".join(kind.value for kind in kinds) if len(kinds) > 0 else "the primary"
    behind = "" if chain.ours is None else chain.ours.address
    judged = findings.judged
    setting = trust_settings(kinds, relay)
    match findings.trust:
        case Trust.LOOKED_BEHIND:
            grade, remedy = Grade.WELL, ""
            text = f"It trusts this server: it looked behind it, and judged {judged or behind}."
        case Trust.EXEMPT:
            grade, remedy = Grade.WELL, ""
            text = "It trusts this server: mail from here passes its checks of the sender."
        case Trust.JUDGED_US:
            harmed = any(one.result in ("fail", "permerror") for one in findings.of("dmarc"))
            grade, remedy = Grade.FAULT if harmed else Grade.WARNING, setting
            text = f"It does not trust this server: it judged {judged} as the sender{_not_behind(behind)}."
        case Trust.OTHER:
            grade, remedy = Grade.NOTE, setting
            text = f"It judged {judged}, which is neither this server nor the one before it."
        case Trust.UNKNOWN:
            grade, text = _guess(findings, relay)
            remedy = setting
    return Diagnosis(Check.HEADER_TRUST, name, grade, text, remedy)


def _guess(findings: PrimaryFindings, relay: Relay) -> tuple[Grade, str]:
    """What SPF suggests if no address is named: hardly a sender's record names another's backup."""
    text = "It did not write whose address it judged"
    for result in findings.of("spf"):
        domain = domain_of_spf(result)
        if len(domain) == 0 or domain == relay.name:
            continue
        if result.result in PASSES:
            return (
                Grade.NOTE,
                f"{text}; as SPF passed for {domain}, it seems to have looked behind this server.",
            )
        if result.result in ("fail", "softfail"):
            return (
                Grade.WARNING,
                f"{text}; as SPF failed for {domain}, it seems to take this server for the sender.",
            )
    return Grade.NOTE, f"{text}, so its trust cannot be seen."


def _not_behind(address: str) -> str:
    """A self-test has nothing behind this server but this server itself."""
    found = as_ip(address)
    return "" if found is None or found.is_loopback else f", and did not look behind it at {address}"


def _spam(one: SpamFinding) -> Diagnosis:
    words = one.value[:SPAM_TEXT_CHARACTERS_MAX]
    if one.is_spam:
        remedy = "see header-trust; until then let the owner of the mailbox mark it as no spam"
        return Diagnosis(
            Check.HEADER_SPAM,
            one.header,
            Grade.WARNING,
            f"The primary's filter calls it spam: {words}",
            remedy,
        )
    return Diagnosis(Check.HEADER_SPAM, one.header, Grade.WELL, f"The primary's filter lets it pass: {words}")


def _others(chain: HeaderChain) -> Iterator[Diagnosis]:
    """Results that are not the primary's: it is said whose they are, and that they do not count."""
    for fields, whose in (
        (chain.later, "by a server behind the primary, which judged the primary and not this server"),
        (chain.earlier, "below the line of this server: by the sender or a server before it, true or forged"),
    ):
        found = [field for field in fields if field.name in CHECK_FIELDS]
        for field in found[:OTHERS_SHOWN_MAX]:
            text = f"Line {field.line}, {_named(field)}, was written {whose}. It does not count."
            yield Diagnosis(Check.HEADER_OTHERS, "", Grade.NOTE, text)
        if len(found) > OTHERS_SHOWN_MAX:
            text = f"Such lines besides, written {whose}: {len(found) - OTHERS_SHOWN_MAX:,}."
            yield Diagnosis(Check.HEADER_OTHERS, "", Grade.NOTE, text)


def _named(field: PastedField) -> str:
    if field.name == "received-spf":
        return field.name
    server = parse_authentication_results(field.value).server
    return f"{field.name} of {server[:SERVER_CHARACTERS_MAX]}" if len(server) > 0 else field.name
