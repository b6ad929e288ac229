"""To which of the owner's addresses a mail goes: not by a way that is itself in trouble, as long as
another remains.
"""

from collections.abc import Callable, Set

from secondpost.config.records import Config
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.envelope import Lane
from secondpost.route.destination import ByHosts, ByMx, road_to


def reachable_owners(config: Config, down: Set[Domain]) -> tuple[Mailbox, ...]:
    """`down`: domains whose server cannot be reached now."""
    by_others = [one for one in config.owner if not leads_to_backup(config, one.domain)]
    for is_open in (_is_not_in(down), lambda domain: True):
        open_ones = tuple(one for one in by_others if is_open(one.domain))
        if len(open_ones) > 0:
            return open_ones
    return config.owner


def _is_not_in(down: Set[Domain]) -> Callable[[Domain], bool]:
    return lambda domain: domain not in down


def leads_to_backup(config: Config, domain: Domain) -> bool:
    """Whether mail of our own to the domain ends here, or goes to the primary of a domain that is
    backed up here.
    """
    match road_to(config, Lane.OWN, domain):
        case ByHosts(hosts):
            primaries = {host.host for backup in config.backups for host in backup.primary}
            return any(host.host in primaries for host in hosts)
        case ByMx(_, as_backup):
            return as_backup
        case _:
            return True
