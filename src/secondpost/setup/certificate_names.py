"""The names that our own certificate is for: those of this server that point here. Pure."""

from collections.abc import Collection, Sequence

from secondpost.config.records import Config
from secondpost.mail.questions import Addresses, Asking, Finding
from secondpost.protocols.mta_sts import POLICY_HOST
from secondpost.setup.wanted import policy_domains, web_host


def certificate_names(config: Config) -> tuple[str, ...]:
    """Every name that the certificate may be for, the host's first: so it serves mail and pages alike."""
    pages = web_host(config)
    policies = [f"{POLICY_HOST}{domain}" for domain in policy_domains(config)]
    return tuple(dict.fromkeys([config.hostname.name, *([] if pages is None else [pages]), *policies]))


def names_here(
    names: Sequence[str], ours: Collection[str], covered: Collection[str]
) -> Asking[tuple[str, ...]]:
    """The names that point to this machine.

    `ours`: its public addresses, as far as it knows them; those of the host, which is the first name,
    count too. `covered`: by the certificate in use; such a name is kept while DNS does not answer.
    """
    found = []
    for name in names:
        found.append((name, (yield from Addresses(name).ask())))
    here = {*ours, *found[0][1].addresses}
    return tuple(
        name
        for name, answer in found
        if not here.isdisjoint(answer.addresses) or (answer.finding is Finding.FAILED and name in covered)
    )
