"""The DMARC records of every domain in From and of the backup domains, and what they ask of our mail.

A record is found by walking up the tree (RFC 9989 §4.10). Pure.
"""

from dataclasses import dataclass

from secondpost.mail.address import Domain
from secondpost.mail.authentication import DmarcPolicy
from secondpost.mail.dns_questions import AskingZone
from secondpost.mail.envelope import Lane
from secondpost.mail.questions import Finding, Txt
from secondpost.protocols.dmarc import (
    STEPS_MAX,
    DmarcFault,
    DmarcRecord,
    is_dmarc,
    parse_dmarc,
)
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.examination import Examination, cut, in_words, no_answer, txt_line, well
from secondpost.setup.facts import names_up
from secondpost.setup.wanted import sender_domains, smart_host

WANTED = "v=DMARC1; p=none"


@dataclass(frozen=True, slots=True)
class _DmarcFound:
    """The record that applies to a domain."""

    domain: str  # at whose _dmarc it stands; "" if there is none
    texts: tuple[str, ...]
    organization: str  # the highest domain with a record; the domain itself if none has one
    has_failed: bool = False


def examine_dmarc(it: Examination) -> AskingZone[tuple[Diagnosis, ...]]:
    found: list[Diagnosis] = []
    senders = sender_domains(it.config)
    for domain in senders:
        found += yield from _sender(it, domain)
    backups = (backup.domain for backup in it.config.backups)
    for domain in dict.fromkeys((it.config.hostname, *backups)):
        if domain not in senders:
            found += yield from _other(domain)
    return tuple(found)


def _sender(it: Examination, domain: Domain) -> AskingZone[list[Diagnosis]]:
    found = yield from _walk(domain.name)
    result = _record(domain, found, Grade.FAULT, Grade.FAULT)
    if isinstance(result, Diagnosis):
        return [result]
    alignment = yield from _alignment(it, domain, found, result)
    return [*_judged(domain, found, result), alignment]


def _other(domain: Domain) -> AskingZone[list[Diagnosis]]:
    """A domain in whose name this server sends little or nothing."""
    found = yield from _walk(domain.name)
    result = _record(domain, found, Grade.NOTE, Grade.WARNING)
    return [result] if isinstance(result, Diagnosis) else _judged(domain, found, result)


def _walk(domain: str) -> AskingZone[_DmarcFound]:
    """The nearest record on the way up, and the organizational domain."""
    at, organization = "", domain
    texts: tuple[str, ...] = ()
    for name in names_up(domain)[:STEPS_MAX]:
        if "." not in name and name != domain:
            break  # no top-level domain speaks for the mail of those below it
        answer = yield from Txt(f"_dmarc.{name}").ask()
        if answer.finding is Finding.FAILED:
            return _DmarcFound(at, texts, organization, has_failed=len(at) == 0)
        here = tuple(text for text in answer.texts if is_dmarc(text))
        if len(here) > 0:
            organization = name
            if len(at) == 0:
                at, texts = name, here
    return _DmarcFound(at, texts, organization)


def _record(domain: Domain, found: _DmarcFound, missing: Grade, broken: Grade) -> DmarcRecord | Diagnosis:
    """The record, or what is wrong with it."""
    name = f"_dmarc.{found.domain or domain}"
    if found.has_failed:
        return no_answer(domain.name, f"the DMARC record of {domain}")
    if len(found.texts) == 0:
        text = f"{domain} has no DMARC record."
        return Diagnosis(Check.DMARC_RECORD, domain.name, missing, text, txt_line(name, WANTED))
    if len(found.texts) > 1:
        text = f"{name} has {len(found.texts)} DMARC records, which count as none: {in_words(found.texts)}."
        remedy = f"Keep only: {txt_line(name, found.texts[0])}"
        return Diagnosis(Check.DMARC_RECORD, domain.name, broken, text, remedy)
    try:
        return parse_dmarc(found.texts[0])
    except DmarcFault as fault:
        text = f"The DMARC record at {name} has a mistake: {fault}."
        remedy = f"Mend it, or put in its place: {txt_line(name, WANTED)}"
        return Diagnosis(Check.DMARC_SYNTAX, domain.name, broken, text, remedy)


def _judged(domain: Domain, found: _DmarcFound, record: DmarcRecord) -> list[Diagnosis]:
    policy = record.policy if found.domain == domain.name else record.subdomain_policy
    words = f'For {domain}, _dmarc.{found.domain} has the DMARC record "{cut(found.texts[0])}".'
    right = well(Check.DMARC_RECORD, domain.name, words)
    if policy is not DmarcPolicy.NONE:
        return [right]
    text = f"The DMARC policy for {domain} is none: forged mail in its name is delivered."
    stronger = txt_line(f"_dmarc.{found.domain}", found.texts[0].replace("=none", "=quarantine"))
    remedy = f"Once the reports show that all your mail passes: {stronger}"
    return [right, Diagnosis(Check.DMARC_POLICY, domain.name, Grade.NOTE, text, remedy)]


def _alignment(
    it: Examination, domain: Domain, found: _DmarcFound, record: DmarcRecord
) -> AskingZone[Diagnosis]:
    """Each issue is signed with d= the domain of From, which always belongs to it. Whether SPF counts
    too depends on the domain of the envelope, `bounces`; a smart host that puts its own there takes
    that away.
    """
    bounces = it.config.bounces
    envelope = yield from _walk(bounces.name)
    is_strict = record.is_spf_strict and envelope.organization == found.organization
    is_aligned = bounces == domain or (envelope.organization == found.organization and not is_strict)
    host = smart_host(it.config, Lane.ISSUES)
    if host is not None:
        text = f"Mail from {domain} passes DMARC by its signature; whether by SPF too depends on {host.host}."
        return well(Check.DMARC_ALIGNMENT, domain.name, text)
    if is_aligned:
        text = f"Mail from {domain} passes DMARC by its signature, and by SPF of {bounces}."
        return well(Check.DMARC_ALIGNMENT, domain.name, text)
    text = (
        f"Mail from {domain} passes DMARC by its signature alone: its envelope's domain is {bounces}, "
        f"{'and the record asks for the very domain of From (aspf=s)' if is_strict else 'of another owner'}."
    )
    relaxed = txt_line(f"_dmarc.{found.domain}", found.texts[0].replace("aspf=s", "aspf=r"))
    remedy = relaxed if is_strict else f'bounces = "bounce.{domain}"'
    return Diagnosis(Check.DMARC_ALIGNMENT, domain.name, Grade.NOTE, text, remedy)
