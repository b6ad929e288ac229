"""Port 25, outward and inward, and what senders see of our own TLS there."""

from collections.abc import Iterator, Sequence

from secondpost.config.addresses import is_loopback
from secondpost.config.records import Config
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import Plan
from secondpost.mail.questions import Addresses, Finding
from secondpost.route.destination import ByMx, Road, road_to
from secondpost.route.hosts import Ourselves
from secondpost.setup.certificate import CertificateFacts
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.looks import Looking, SmtpLook, SmtpLooks, SmtpSeen, Unreached, Visited
from secondpost.setup.primary_look import looks_at, missed, named, routed

SMTP_PORT = 25


def smart_host_blocks(config: Config) -> str:
    """The lines that send all mail by way of a provider's server."""
    common = 'host = "smtp.provider.example:587"\nusername = "…"\npassword_file = "…"\ntls = "verify"'
    blocks = [f'[[route]]\ndomain = "*"\n{common}']
    if len(config.backups) > 0:
        blocks.append(f'[[route]]\ndomain = "*"\nlane = "relay"\n{common}')
    return "\n".join(blocks)


def examine_port_out(config: Config, us: Ourselves) -> Looking[tuple[Diagnosis, ...]]:
    """Tries port 25 of the servers of the owner and of all primaries: one that answers is enough."""
    roads: list[Road] = [ByMx(owner.domain, as_backup=False) for owner in config.owner]
    roads += [road_to(config, Lane.RELAY, backup.domain) for backup in config.backups]
    looks: dict[SmtpLook, None] = {}
    for road in dict.fromkeys(roads):
        plan = yield from routed(config, Lane.OWN, road, us)
        if isinstance(plan, Plan):
            looks.update(
                dict.fromkeys(look for look in looks_at(plan).looks if look.endpoint.port == SMTP_PORT)
            )
    if len(looks) == 0:
        text = "No server on port 25 is known that could be tried."
        return (Diagnosis(Check.PORT_25_OUT, "", Grade.NOTE, text),)
    seen = yield from SmtpLooks(tuple(looks)).ask()
    return (_port_out(config, tuple(looks), seen),)


def _port_out(config: Config, looks: Sequence[SmtpLook], seen: Sequence[SmtpSeen]) -> Diagnosis:
    hosts = list(dict.fromkeys(look.host for look in looks))
    if not all(isinstance(one, Unreached) for one in seen):
        return Diagnosis(Check.PORT_25_OUT, "", Grade.WELL, "Port 25 is open outward.")
    is_silent = all(isinstance(one, Unreached) and one.is_silent for one in seen)
    if is_silent and len(hosts) > 1:
        text = f"None of {len(hosts)} mail servers answers on port 25: it is closed outward."
        return Diagnosis(Check.PORT_25_OUT, "", Grade.FAULT, text, smart_host_blocks(config))
    # One silent server may be down itself, or blocked.
    text = f"No connection to port 25 succeeded. {named(looks[0])}: {missed(seen[0])}."
    return Diagnosis(Check.PORT_25_OUT, "", Grade.WARNING, text, smart_host_blocks(config))


def public_addresses(config: Config) -> Looking[tuple[str, ...]]:
    """Those that the file names, else those that DNS has for our host name."""
    if len(config.addresses) > 0:
        return config.addresses
    answer = yield from Addresses(config.hostname.name).ask()
    return answer.addresses if answer.finding is Finding.FOUND else ()


def examine_port_in(
    config: Config, machine: frozenset[str], is_served: bool, certificate: CertificateFacts | None
) -> Looking[tuple[Diagnosis, ...]]:
    """`machine`: the addresses of its interfaces; `certificate`: of our file."""
    host = config.hostname.name
    if not is_served:
        text = "The service does not run, so nothing listens on port 25."
        return (Diagnosis(Check.PORT_25_IN, host, Grade.NOTE, text, "secondpost serve"),)
    doors = yield from _doors(config)
    if len(doors) == 0:
        text = f"{host} has no address in DNS, so no sender finds it."
        remedy = f'make A and AAAA records of {host}, or write addresses = ["…"] in {config.path}'
        return (Diagnosis(Check.PORT_25_IN, host, Grade.FAULT, text, remedy),)
    looks = tuple(SmtpLook(door, host) for door in doors)
    seen = yield from SmtpLooks(looks).ask()
    found: list[Diagnosis] = []
    for look, one in zip(looks, seen, strict=True):
        found.append(_port_in(look, one, look.endpoint.host in machine))
        if isinstance(one, Visited):
            found.extend(_own_tls(config, look, one, certificate))
    return tuple(found)


def _doors(config: Config) -> Looking[tuple[Endpoint, ...]]:
    """Where senders come: port 25 of our public addresses, or what a trial on one machine listens on."""
    if all(is_loopback(door.host) for door in config.receive.listen):
        return config.receive.listen
    addresses = yield from public_addresses(config)
    return tuple(Endpoint(address, SMTP_PORT) for address in addresses)


def _port_in(look: SmtpLook, seen: SmtpSeen, is_here: bool) -> Diagnosis:
    check, subject = Check.PORT_25_IN, look.endpoint.host
    if isinstance(seen, Visited):
        return Diagnosis(check, subject, Grade.WELL, f"{look.endpoint} answers.")
    if is_here:
        text = f"Nothing answers at {look.endpoint}, an address of this machine: {missed(seen)}."
        return Diagnosis(check, subject, Grade.FAULT, text, 'listen = ["[::]:25"] in [receive]')
    text = (
        f"{look.endpoint} cannot be reached from here: {missed(seen)}. Behind a router that can be so "
        "although others reach it."
    )
    return Diagnosis(check, subject, Grade.NOTE, text, f"from another machine: nc -vz {subject} {SMTP_PORT}")


def _own_tls(
    config: Config, look: SmtpLook, seen: Visited, certificate: CertificateFacts | None
) -> Iterator[Diagnosis]:
    check, subject = Check.OWN_STARTTLS, str(look.endpoint)
    if config.tls.certificate is None:
        return
    if seen.tls is None:
        why = f": {seen.distrust}" if len(seen.distrust) > 0 else ""
        text = f"Senders at {subject} get no STARTTLS, though the file names a certificate{why}."
        remedy = "secondpost reload; if it stays so, a firewall in between takes STARTTLS away"
        yield Diagnosis(check, subject, Grade.FAULT, text, remedy)
    elif certificate is not None and seen.certificate_fingerprint != certificate.fingerprint:
        text = f"Senders at {subject} see another certificate than the one in {config.tls.certificate}."
        remedy = "secondpost reload; if it stays so, another program answers at that address"
        yield Diagnosis(check, subject, Grade.WARNING, text, remedy)
    else:
        yield Diagnosis(
            check, subject, Grade.WELL, f"Senders get STARTTLS with our certificate ({seen.tls})."
        )


def registrable(host: Domain) -> str:
    """The domain that a block list knows of a host name: without its first label if more are left."""
    parent = host.name.partition(".")[2]
    return parent if "." in parent else host.name
