"""What decides which records are needed, besides the configuration: this machine, and what stands in
DNS already. Pure: it yields questions.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from secondpost.config.records import LETS_ENCRYPT, Config
from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import (
    AskingZone,
    Caa,
    CaaRecord,
    Ds,
    StsPolicy,
    StsPolicyAnswer,
    ZoneOf,
)
from secondpost.mail.questions import Addresses, Finding, Mx, MxAnswer, Txt
from secondpost.protocols.mta_sts import POLICY_HOST

CLIMB_MAX = 10  # labels up from a name; longer names belong to no mail host

# The organization in a certificate's issuer: the name of its authority in CAA records.
AUTHORITIES = {
    "Let's Encrypt": "letsencrypt.org",
    "Google Trust Services": "pki.goog",
    "ZeroSSL": "sectigo.com",
    "Sectigo Limited": "sectigo.com",
    "DigiCert Inc": "digicert.com",
    "SSL Corporation": "ssl.com",
    "Actalis S.p.A.": "actalis.it",
}


@dataclass(frozen=True, slots=True)
class DkimKey:
    """The public half of one of our keys, as a TXT record."""

    selector: str
    text: str


class Signing(StrEnum):
    """What can be said about the DNSSEC of a zone."""

    VALIDATED = "validated"  # the resolver has validated its answer
    SIGNED = "signed"  # its parent says so (DS), but this resolver does not validate
    UNSIGNED = "unsigned"
    UNKNOWN = "unknown"  # DNS did not answer

    @property
    def is_signed(self) -> bool:
        return self in (Signing.VALIDATED, Signing.SIGNED)


@dataclass(frozen=True, slots=True)
class StsFound:
    """The MTA-STS of a domain: its TXT record, and the policy that it points to."""

    ids: tuple[str, ...]  # the TXT records that begin with v=STSv1
    policy: StsPolicyAnswer
    leads_here: bool = False  # whether the host of the policy has an address of this server


@dataclass(frozen=True, slots=True)
class Facts:
    # known without DNS
    addresses: tuple[str, ...] = ()  # own public ones; empty if they are not known
    tls_key: str | None = None  # SHA-256 of the served certificate's public key, hexadecimal
    authority: str = ""  # of the served certificate, as CAA records name it: "letsencrypt.org"
    # seen in DNS by `look_around`
    mx: Mapping[Domain, MxAnswer] = field(default_factory=dict)  # of each backup domain
    host_signing: Signing = Signing.UNKNOWN  # of the zone of the hostname
    sts: Mapping[Domain, StsFound] = field(default_factory=dict)  # of backup domains that have it
    caa: tuple[CaaRecord, ...] = ()  # that apply to the hostname
    caa_name: str = ""  # where they stand


def authority_of(issuer: str) -> str:
    """The name of an issuer in CAA records; "" if it is not known."""
    return AUTHORITIES.get(issuer, "")


def authority_to_come(config: Config) -> str:
    """The authority of a certificate that is still to be got by ACME, as CAA records name it; "" if it is
    not known.
    """
    is_usual = config.tls.acme is not None and config.acme.directory == LETS_ENCRYPT
    return AUTHORITIES["Let's Encrypt"] if is_usual else ""


def look_around(config: Config, known: Facts) -> AskingZone[Facts]:
    """`known`, completed by what DNS says."""
    mx: dict[Domain, MxAnswer] = {}
    sts: dict[Domain, StsFound] = {}
    for backup in config.backups:
        mx[backup.domain] = yield from Mx(backup.domain).ask()
        found = yield from _sts(backup.domain, known.addresses)
        if found is not None:
            sts[backup.domain] = found
    signing = yield from signing_of(config.hostname.name)
    caa_name, caa = yield from authorities_of(config.hostname.name)
    return replace(known, mx=mx, sts=sts, host_signing=signing, caa=caa, caa_name=caa_name)


def _sts(domain: Domain, ours: Collection[str]) -> AskingZone[StsFound | None]:
    answer = yield from Txt(f"_mta-sts.{domain}").ask()
    # RFC 8461 §3.1: other records of that name are no concern of MTA-STS.
    ids = tuple(text for text in answer.texts if text.lower().startswith("v=sts"))
    if len(ids) == 0:
        return None
    host = yield from Addresses(f"{POLICY_HOST}{domain}").ask()
    leads_here = any(address in ours for address in host.addresses)
    return StsFound(ids, (yield from StsPolicy(domain).ask()), leads_here)


def signing_of(name: str) -> AskingZone[Signing]:
    """Whether the zone of a name is signed.

    A resolver that validates says AD. One that does not still shows the parent's DS record, which is
    what a validating sender goes by (RFC 4035 §5.2).
    """
    answer = yield from ZoneOf(name).ask()
    if answer.finding is not Finding.FOUND:
        return Signing.UNKNOWN
    if answer.is_validated:
        return Signing.VALIDATED
    parent = yield from Ds(answer.zone).ask()
    match parent.finding:
        case Finding.FOUND:
            return Signing.SIGNED
        case Finding.FAILED:
            return Signing.UNKNOWN
        case Finding.NO_DATA | Finding.NO_NAME:
            return Signing.UNSIGNED


def authorities_of(name: str) -> AskingZone[tuple[str, tuple[CaaRecord, ...]]]:
    """The CAA records that apply to a name, and the name at which they stand: the nearest ones on the
    way up to the root (RFC 8659 §3). ("", ()) if there are none.
    """
    for above in names_up(name):
        answer = yield from Caa(above).ask()
        if answer.finding is Finding.FOUND:
            return above, answer.records
    return "", ()


def names_up(name: str) -> tuple[str, ...]:
    """The name, its parent and so on, without the root."""
    labels = name.split(".")
    return tuple(".".join(labels[start:]) for start in range(len(labels)))[:CLIMB_MAX]
