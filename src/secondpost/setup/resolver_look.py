"""Whether the resolver answers, and whether it tells the truth about names that do not exist."""

from secondpost.config.records import Config
from secondpost.mail.questions import Addresses, Finding, Mx
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.looks import Looking

ROOT_SERVER = "a.root-servers.net"  # a name that every resolver finds
OWN_RESOLVER = 'apt-get install unbound, and servers = ["127.0.0.1"] in [dns]'


def examine_resolver(config: Config, made_up: str) -> Looking[tuple[Diagnosis, ...]]:
    """`made_up`: a random label under which nothing is registered."""
    there = yield from Addresses(ROOT_SERVER).ask()
    if there.finding is not Finding.FOUND:
        own = yield from Mx(config.hostname).ask()
        if own.finding is Finding.FAILED:
            servers = ", ".join(str(one) for one in config.dns.servers) or "those of /etc/resolv.conf"
            text = f"The name servers do not answer: {servers}."
            return (Diagnosis(Check.RESOLVER, "", Grade.FAULT, text, OWN_RESOLVER),)
    found = [Diagnosis(Check.RESOLVER, "", Grade.WELL, "DNS answers.")]
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
