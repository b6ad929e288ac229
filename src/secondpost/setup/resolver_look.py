"""Whether the resolver answers, and whether it tells the truth about names that do not exist."""

from collections.abc import Sequence

from secondpost.config.addresses import is_loopback
from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.mail.dns_questions import ZoneOf
from secondpost.mail.questions import Addresses, Finding, Mx
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.looks import Looking

ROOT_SERVER = "a.root-servers.net"  # a name that every resolver finds
SIGNED_ZONE = "com"
OWN_RESOLVER = 'apt-get install unbound, and servers = ["127.0.0.1"] in [dns]'


def examine_resolver(
    config: Config, servers: Sequence[Endpoint], made_up: str
) -> Looking[tuple[Diagnosis, ...]]:
    """`servers`: those that are asked; `made_up`: a random label under which nothing is registered."""
    there = yield from Addresses(ROOT_SERVER).ask()
    if there.finding is not Finding.FOUND:
        own = yield from Mx(config.hostname).ask()
        if own.finding is Finding.FAILED:
            text = f"The name servers do not answer: {', '.join(map(str, servers))}."
            return (Diagnosis(Check.RESOLVER, "", Grade.FAULT, text, OWN_RESOLVER),)
    found = [Diagnosis(Check.RESOLVER, "", Grade.WELL, "DNS answers."), *_place(servers)]
    signed = yield from ZoneOf(SIGNED_ZONE).ask()
    if signed.finding is Finding.FOUND:
        found.append(_validation(signed.is_validated))
    invented = yield from Addresses(f"{made_up}.com").ask()
    match invented.finding:
        case Finding.FOUND:
            text = f"The resolver invents addresses for names that do not exist: {invented.addresses[0]}."
            found.append(Diagnosis(Check.RESOLVER_TRUTH, "", Grade.FAULT, text, OWN_RESOLVER))
        case Finding.NO_NAME | Finding.NO_DATA:
            text = "Names that do not exist have no address."
            found.append(Diagnosis(Check.RESOLVER_TRUTH, "", Grade.WELL, text))
        case Finding.FAILED:
            text = "It cannot be seen whether the resolver invents names: it did not answer."
            found.append(Diagnosis(Check.RESOLVER_TRUTH, "", Grade.NOTE, text, OWN_RESOLVER))
    return tuple(found)


def _place(servers: Sequence[Endpoint]) -> tuple[Diagnosis, ...]:
    if len(servers) == 0 or is_loopback(servers[0].host.partition("%")[0]):
        return (Diagnosis(Check.RESOLVER_PLACE, "", Grade.WELL, "The resolver is on this machine."),)
    text = f"DNS is asked of {servers[0]}, over a network and together with others."
    return (Diagnosis(Check.RESOLVER_PLACE, "", Grade.NOTE, text, OWN_RESOLVER),)


def _validation(is_validated: bool) -> Diagnosis:
    if is_validated:
        return Diagnosis(
            Check.RESOLVER_DNSSEC, "", Grade.WELL, "The resolver validates signed zones (DNSSEC)."
        )
    text = "The resolver does not validate signed zones (DNSSEC)."
    return Diagnosis(Check.RESOLVER_DNSSEC, "", Grade.NOTE, text, OWN_RESOLVER)
