"""A sender's duties: what must be seen before an issue goes out, by the road that it takes. Pure.

Large providers refuse or file as spam what comes without SPF, DKIM, DMARC, a reverse name, or a link
that unsubscribes. The judgement is that of `check dns` and `check delivery`; here it is chosen which of
their results keep an issue from going.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.address import Domain, as_ip
from secondpost.mail.dns_questions import AskingZone
from secondpost.mail.envelope import Lane
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.dmarc_records import examine_dmarc
from secondpost.setup.examination import Examination
from secondpost.setup.facts import DkimKey, Facts, look_around
from secondpost.setup.host_names import examine_host
from secondpost.setup.signatures import examine_signatures
from secondpost.setup.spf_records import examine_spf
from secondpost.setup.wanted import records_wanted, smart_host

NAMED_MAX = 6  # faults in one sentence
SPF = (Check.SPF_RECORD, Check.SPF_SYNTAX, Check.SPF_LOOKUPS, Check.SPF_STRICTNESS, Check.SPF_SENDER)
DKIM = (Check.DKIM_RECORD, Check.DKIM_SYNTAX, Check.DKIM_KEY, Check.DKIM_REVOKED)
DMARC = (Check.DMARC_RECORD, Check.DMARC_SYNTAX)
HOST = (Check.HOST_ADDRESS, Check.HOST_REVERSE)


@dataclass(frozen=True, slots=True)
class Duties:
    """What a look found about the duties of one sender."""

    faults: tuple[Diagnosis, ...]
    unanswered: tuple[Diagnosis, ...]  # what DNS did not answer: this proves and refutes nothing

    @property
    def is_proven(self) -> bool:
        return len(self.faults) + len(self.unanswered) == 0

    @property
    def fault(self) -> str:
        """The faults with what mends each; "" if there are none."""
        named = [f"{one.text} {_mended(one)}".rstrip() for one in self.faults[:NAMED_MAX]]
        more = len(self.faults) - len(named)
        if more > 0:
            named.append(f"{more} more: secondpost check dns.")
        return " ".join(named)


def _mended(one: Diagnosis) -> str:
    is_record = " IN " in one.remedy
    if is_record:
        return f"Publish: {one.remedy}"
    return f"{one.remedy[:1].upper()}{one.remedy[1:]}." if len(one.remedy) > 0 else ""


def examine_duties(config: Config, keys: Sequence[DkimKey], known: Facts) -> AskingZone[list[Diagnosis]]:
    """The part of `check dns` from which duties are judged. `known`: what is known without DNS."""
    facts = yield from look_around(config, known)
    it = Examination(config, tuple(keys), facts, records_wanted(config, keys, facts))
    found = list((yield from examine_host(it)))
    found += yield from examine_spf(it)
    found += yield from examine_signatures(it)
    found += yield from examine_dmarc(it)
    return list(dict.fromkeys(found))


def duties_of(config: Config, domain: Domain, found: Iterable[Diagnosis]) -> Duties:
    """`domain`: of From. `found`: what `examine_duties` or `check dns`, and the look at the link, found."""
    ours = [one for one in found if concerns(config, domain, one)]
    return Duties(
        tuple(one for one in ours if is_fault(config, one)),
        tuple(one for one in ours if one.check is Check.DNS_ANSWERS),
    )


def concerns(config: Config, domain: Domain, one: Diagnosis) -> bool:
    """Whether a result is about the duties of those who send from a domain."""
    is_direct = smart_host(config, Lane.ISSUES) is None
    is_key = one.subject.endswith(f"._domainkey.{domain}")
    match one.check:
        case check if check in HOST:
            return is_direct  # the reverse name of a smart host is its owner's duty
        case check if check in SPF:
            return one.subject == config.bounces.name
        case check if check in DKIM:
            return is_key
        case check if check in DMARC:
            return one.subject == domain.name
        case Check.LEAVE_LINK:
            return True  # one for all newsletters
        case Check.DNS_ANSWERS:
            is_host = one.subject == config.hostname.name or as_ip(one.subject) is not None
            is_named = one.subject in (domain.name, config.bounces.name, config.web.url)
            return is_key or is_named or (is_host and is_direct)
        case _:
            return False


def is_fault(config: Config, one: Diagnosis) -> bool:
    """Whether a result keeps an issue from going out."""
    if one.grade is Grade.WELL or one.check is Check.DNS_ANSWERS:
        return False
    if one.check in DKIM:
        return True  # `check dns` grades the hostname's keys lower, since it knows no From there
    if one.check is Check.SPF_SENDER:
        # A smart host's addresses are not known here: it can be seen only whether the record names others.
        return one.grade is not Grade.NOTE or smart_host(config, Lane.ISSUES) is None
    return one.grade is Grade.FAULT
