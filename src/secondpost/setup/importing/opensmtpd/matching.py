"""How the conditions of a rule fit: which strangers it is for, and which domains."""

import re
from collections.abc import Sequence
from enum import Enum, auto
from ipaddress import IPv4Network, IPv6Network, collapse_addresses, ip_network

from secondpost.config.addresses import is_loopback
from secondpost.setup.importing.opensmtpd.statements import (
    SmtpdCondition,
    SmtpdDestination,
    SmtpdFor,
    SmtpdListener,
    SmtpdRule,
)
from secondpost.setup.importing.opensmtpd.tables import domain_matches

# Names, addresses and senders of strangers, which have nothing in common.
PROBES = ("mail.zqvk.example", "91.5.77.9", "2a0b:77::9", "zqk-7@wvx.example", "2718@b.example")


class ReachOfRule(Enum):
    """Which strangers a rule is for."""

    ALL = auto()
    MOST = auto()  # all but some, such as those of a list
    SOME = auto()
    NONE = auto()


class Covered(Enum):
    """Whether a rule is for a domain."""

    YES = auto()
    NO = auto()
    PERHAPS = auto()  # by a pattern that is not evaluated here, or a table that cannot be read


def has_tag(listener: SmtpdListener, tag: SmtpdCondition) -> bool:
    keys = [] if tag.table is None else [entry.key for entry in tag.table.entries]
    if not tag.is_regex:
        return listener.tag in keys
    try:
        return any(re.search(key, listener.tag or "") is not None for key in keys)
    except re.error:
        return False


def reach_of_senders(condition: SmtpdCondition) -> ReachOfRule:
    """A lone @ means every sender (mailaddr_match)."""
    keys = (
        [] if condition.table is None or condition.is_regex else [one.key for one in condition.table.entries]
    )
    if not any(key in ("@", "@*") for key in keys):
        return reach_of_list(condition)
    return ReachOfRule.NONE if condition.is_not else ReachOfRule.ALL


def names_all_domains(destination: SmtpdDestination) -> bool:
    """Whether a list of domains has one that is all of them."""
    table = destination.condition.table
    return table is not None and any(set(one.key) <= {"*", "."} for one in table.entries)


def reach_of_list(condition: SmtpdCondition) -> ReachOfRule:
    """Of a list of names, addresses or patterns; "*" and a pattern such as .* have all."""
    keys = [] if condition.table is None else [entry.key for entry in condition.table.entries]
    if any(fits_all(key, PROBES) if condition.is_regex else key == "*" for key in keys):
        return ReachOfRule.NONE if condition.is_not else ReachOfRule.ALL
    return ReachOfRule.MOST if condition.is_not else ReachOfRule.SOME


def reach_of_names(condition: SmtpdCondition) -> ReachOfRule:
    """Of `from rdns`: most clients have a name, so few have none."""
    if condition.table is None:
        return ReachOfRule.SOME if condition.is_not else ReachOfRule.MOST
    return reach_of_list(condition)


def fits_all(pattern: str, texts: Sequence[str]) -> bool:
    """Whether a regular expression fits each of the texts; one that Python cannot read fits none."""
    try:
        return all(re.search(pattern, text, re.IGNORECASE) is not None for text in texts)
    except (re.error, RecursionError, OverflowError):
        return False


def reach_of_login(condition: SmtpdCondition | None) -> ReachOfRule:
    return ReachOfRule.ALL if condition is None or condition.is_not else ReachOfRule.NONE


def reach_of_addresses(condition: SmtpdCondition) -> ReachOfRule:
    """Of `from src`: the whole internet if it lists all of IPv4 and of IPv6."""
    if condition.is_regex or condition.table is None or not condition.table.is_known:
        return reach_of_list(condition)
    names = [entry.key.removeprefix("ipv6:") for entry in condition.table.entries]
    whole = _whole_families(names)
    if len(whole) == 2:
        return ReachOfRule.NONE if condition.is_not else ReachOfRule.ALL
    if len(whole) == 1:
        return ReachOfRule.SOME if condition.is_not else ReachOfRule.MOST
    if all(name == "local" or is_loopback(name) for name in names):
        return ReachOfRule.ALL if condition.is_not else ReachOfRule.NONE
    return reach_of_list(condition)


def _whole_families(names: Sequence[str]) -> set[int]:
    """The versions of IP of which the networks are all addresses, together."""
    networks = [one for one in map(_network, names) if one is not None]
    of_4 = [one for one in networks if isinstance(one, IPv4Network)]
    of_6 = [one for one in networks if isinstance(one, IPv6Network)]
    whole_4 = {4 for one in collapse_addresses(of_4) if one.prefixlen == 0}
    return whole_4 | {6 for one in collapse_addresses(of_6) if one.prefixlen == 0}


def _network(name: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(name.strip("[]"), strict=False)
    except ValueError:
        return None


def covers(rule: SmtpdRule, domain: str) -> Covered:
    destination, condition = rule.destination, rule.destination.condition
    if destination.kind is SmtpdFor.ANY:
        covered = Covered.YES
    elif destination.kind is SmtpdFor.LOCAL:
        covered = Covered.NO  # the server's own name, which is no backup domain
    else:
        covered = _in_domains(condition, domain)
    if covered is Covered.PERHAPS or not condition.is_not:
        return covered
    return Covered.NO if covered is Covered.YES else Covered.YES


def _in_domains(condition: SmtpdCondition, domain: str) -> Covered:
    table = condition.table
    if condition.is_regex or table is None or not table.is_known:
        return Covered.PERHAPS
    return Covered.YES if any(domain_matches(domain, one.key) for one in table.entries) else Covered.NO
