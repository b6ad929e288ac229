"""The zones themselves: whether they are signed, and found over IPv6; and RPKI, which DNS does not show.
Pure.
"""

from collections.abc import Iterable

from secondpost.mail.dns_questions import AskingZone, Ns, ZoneOf
from secondpost.mail.questions import Addresses, Finding
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.examination import Examination, in_words, other_hosts, well
from secondpost.setup.facts import Signing, signing_of
from secondpost.setup.wanted import sender_domains

NAME_SERVERS_MAX = 8  # of one zone
SIX_MIN = 2  # name servers with IPv6: as internet.nl asks
RPKI_PAGE = "https://internet.nl/test-mail/"


def examine_zones(it: Examination) -> AskingZone[tuple[Diagnosis, ...]]:
    """Each zone once: those of the domains and those of all MX hosts."""
    found: list[Diagnosis] = []
    domains = yield from _zones(_domains(it))
    for zone in domains:
        found.append((yield from _name_servers(zone)))
    hosts = yield from _zones((it.host, *other_hosts(it)))
    for zone in dict.fromkeys((*domains, *hosts)):
        found.append((yield from _signing(zone)))
    return (*found, *(_routes(domain.domain.name) for domain in it.config.backups))


def _domains(it: Examination) -> list[str]:
    domains = (*(backup.domain for backup in it.config.backups), *sender_domains(it.config))
    return list(dict.fromkeys(domain.name for domain in domains))


def _zones(names: Iterable[str]) -> AskingZone[tuple[str, ...]]:
    zones: list[str] = []
    for name in names:
        answer = yield from ZoneOf(name).ask()
        if answer.finding is Finding.FOUND:
            zones.append(answer.zone)
    return tuple(dict.fromkeys(zones))


def _signing(zone: str) -> AskingZone[Diagnosis]:
    signing = yield from signing_of(zone)
    match signing:
        case Signing.VALIDATED:
            return well(Check.DNSSEC, zone, f"The zone {zone} is signed, and its signatures are valid.")
        case Signing.SIGNED:
            text = f"The zone {zone} is signed; this resolver does not say whether its signatures are valid."
            remedy = "A validating resolver on this machine, such as Unbound, would"
            return Diagnosis(Check.DNSSEC, zone, Grade.NOTE, text, remedy)
        case Signing.UNSIGNED:
            text = f"The zone {zone} is not signed (DNSSEC)."
            remedy = f"Where {zone} is registered, switch DNSSEC on"
            return Diagnosis(Check.DNSSEC, zone, Grade.NOTE, text, remedy)
        case Signing.UNKNOWN:
            text = f"Whether the zone {zone} is signed cannot be seen now."
            return Diagnosis(Check.DNSSEC, zone, Grade.NOTE, text)


def _name_servers(zone: str) -> AskingZone[Diagnosis]:
    answer = yield from Ns(zone).ask()
    with_six: list[str] = []
    for host in answer.hosts[:NAME_SERVERS_MAX]:
        addresses = yield from Addresses(host).ask()
        if any(":" in address for address in addresses.addresses):
            with_six.append(host)
    if len(with_six) >= SIX_MIN:
        text = f"The zone {zone} is found over IPv6, at {in_words(with_six)}."
        return well(Check.NAME_SERVERS, zone, text)
    text = f"{len(with_six)} of the name servers of {zone} that were seen have an IPv6 address."
    remedy = "Ask the DNS provider for a second name server with IPv6"
    return Diagnosis(Check.NAME_SERVERS, zone, Grade.NOTE, text, remedy)


def _routes(domain: str) -> Diagnosis:
    text = f"Whether the routes to the mail hosts of {domain} are signed (RPKI) does not stand in DNS."
    return Diagnosis(Check.RPKI, domain, Grade.NOTE, text, f"Look at {RPKI_PAGE} for {domain}")
