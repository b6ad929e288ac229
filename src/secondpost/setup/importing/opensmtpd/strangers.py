"""Which mail the old server takes from strangers: from clients that are neither local nor logged in.

The rules are walked for each domain as smtpd walks them for a recipient: the first that matches decides
(ruleset_match in ruleset.c). A rule for some strangers only never opens a domain here: it would be open
to all. Mail that is led through a filter on the old machine comes back there by a tagged listener, and
then follows the rules of that tag.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from ipaddress import ip_network

from secondpost.config.addresses import is_loopback
from secondpost.setup.importing.opensmtpd.statements import (
    SmtpdCondition,
    SmtpdFor,
    SmtpdFrom,
    SmtpdListener,
    SmtpdLocal,
    SmtpdRelay,
    SmtpdRule,
)
from secondpost.setup.importing.opensmtpd.tables import SmtpdTable, TableEntry, domain_matches
from secondpost.setup.importing.opensmtpd.targets import RelayTarget, target_of

LOOPBACK_INTERFACES = ("lo", "lo0", "localhost")


class ReachOfRule(Enum):
    """Which strangers a rule is for."""

    ALL = auto()
    MOST = auto()  # all but some, such as those of a list
    SOME = auto()
    NONE = auto()


class MailBringer(Enum):
    """Who brings the mail."""

    STRANGER = auto()
    FILTER = auto()  # of the old machine, back through a listener of its own


class Covered(Enum):
    """Whether a rule is for a domain."""

    YES = auto()
    NO = auto()
    PERHAPS = auto()  # by a pattern that is not evaluated here, or a table that cannot be read


@dataclass(slots=True)
class DomainWay:
    """What happens to mail for a domain. Rules in the order in which they were met.

    `relays`: which relay some or all of its addresses; `takes_rest`: the one that takes what no list
    named; `listed`: the addresses that lists name, with a rule each; `only`: those that a refusal of all
    others leaves, if there is one.
    """

    domain: str
    relays: list[SmtpdRule] = field(default_factory=list)
    takes_rest: SmtpdRule | None = None
    listed: list[tuple[TableEntry, SmtpdRule]] = field(default_factory=list)
    only: list[TableEntry] | None = None
    refuses: list[SmtpdRule] = field(default_factory=list)  # all, or what its lists name
    delivers: list[SmtpdRule] = field(default_factory=list)  # locally
    passed_over: list[SmtpdRule] = field(default_factory=list)  # for some strangers only, or by a pattern

    @property
    def is_relayed(self) -> bool:
        return len(self.relays) > 0

    @property
    def takes_all(self) -> bool:
        """Whether every address is taken that no line before refused."""
        rule = self.takes_rest
        if rule is None or self.only is not None:
            return False
        return rule.recipient is None or names_whole_domain(rule.recipient, self.domain)


@dataclass(frozen=True, slots=True)
class Strangers:
    rules: Sequence[SmtpdRule]
    listeners: Sequence[SmtpdListener]
    is_old: bool

    def reach(self, rule: SmtpdRule, caller: MailBringer = MailBringer.STRANGER) -> ReachOfRule:
        parts = [self._source(rule, caller), _login(rule.login), self._tag(rule.tag, caller)]
        parts += [ReachOfRule.MOST for one in (rule.tls,) if one is not None]
        parts += [_some(one) for one in (rule.sender, rule.helo) if one is not None]
        for least in (ReachOfRule.NONE, ReachOfRule.SOME, ReachOfRule.MOST):
            if least in parts:
                return least
        return ReachOfRule.ALL

    def domains(self) -> tuple[str, ...]:
        """The domains that rules for strangers name, in their order; not those of patterns."""
        found: dict[str, None] = {}
        for rule in self.rules:
            relevant = any(self.reach(rule, caller) is not ReachOfRule.NONE for caller in MailBringer)
            if rule.action is not None and relevant:
                found.update(dict.fromkeys(_domains_of(rule)))
        return tuple(found)

    def way_of(self, domain: str) -> DomainWay:
        way = DomainWay(domain)
        self._walk(way, MailBringer.STRANGER)
        return way

    def is_open_relay(self, rule: SmtpdRule) -> bool:
        """Whether it relays mail of strangers to any domain."""
        destination = rule.destination
        anywhere = destination.kind is SmtpdFor.ANY or destination.condition.is_not
        whole = self.reach(rule) in (ReachOfRule.ALL, ReachOfRule.MOST) and rule.recipient is None
        return isinstance(rule.action, SmtpdRelay) and whole and anywhere

    def _walk(self, way: DomainWay, caller: MailBringer) -> None:
        for rule in self.rules:
            reach, covered = self.reach(rule, caller), _covers(rule, way.domain)
            if reach is ReachOfRule.NONE or covered is Covered.NO:
                continue
            if reach is ReachOfRule.SOME or covered is Covered.PERHAPS or self.is_open_relay(rule):
                way.passed_over.append(rule)
                continue
            if self._decides(way, rule, caller):
                return

    def _decides(self, way: DomainWay, rule: SmtpdRule, caller: MailBringer) -> bool:
        """Whether nothing is left for later rules."""
        if (
            self._leads_through_filter(rule, way.domain)
            and caller is MailBringer.STRANGER
            and rule.recipient is None
        ):
            way.passed_over.append(rule)
            self._walk(way, MailBringer.FILTER)
            return True
        entries = _listed(rule.recipient, way.domain)
        is_whole = rule.recipient is None or names_whole_domain(rule.recipient, way.domain)
        if entries is None and not is_whole and rule.destination.kind is SmtpdFor.ANY:
            way.passed_over.append(rule)  # which domains it is for is not known
            return False
        if entries is not None and len(entries) == 0 and not is_whole:
            return False
        match rule.action:
            case None:
                way.refuses.append(rule)
                if rule.recipient is not None and rule.recipient.is_not and way.only is None:
                    way.only = _entries_for(rule.recipient, way.domain)
            case SmtpdLocal():
                way.delivers.append(rule)
            case SmtpdRelay():
                way.relays.append(rule)
                if entries is None or is_whole:
                    way.takes_rest = rule
                way.listed += [(entry, rule) for entry in entries or ()]
        return is_whole

    def _leads_through_filter(self, rule: SmtpdRule, domain: str) -> bool:
        if not isinstance(rule.action, SmtpdRelay):
            return False
        target = target_of(rule.action, domain, is_old=self.is_old)
        comes_back = any(one.tag is not None and is_local_listener(one) for one in self.listeners)
        return isinstance(target, RelayTarget) and target.is_here and comes_back

    def _source(self, rule: SmtpdRule, caller: MailBringer) -> ReachOfRule:
        source, condition = rule.source, rule.source.condition
        match source.kind:
            case SmtpdFrom.ANY:
                return ReachOfRule.NONE if condition.is_not else ReachOfRule.ALL
            case SmtpdFrom.LOCAL | SmtpdFrom.SOCKET:
                is_local = caller is MailBringer.FILTER and source.kind is SmtpdFrom.LOCAL
                return ReachOfRule.ALL if is_local != condition.is_not else ReachOfRule.NONE
            case SmtpdFrom.NAMES:
                return ReachOfRule.MOST if condition.table is None else _some(condition)
            case _:
                return _addresses(condition)

    def _tag(self, tag: SmtpdCondition | None, caller: MailBringer) -> ReachOfRule:
        doors = [one for one in self.listeners if _is_door(one, caller)]
        if tag is None:
            return ReachOfRule.ALL
        if tag.table is None or tag.is_regex or len(doors) == 0:
            return ReachOfRule.SOME
        tags = {entry.key for entry in tag.table.entries}
        fits = [(one.tag in tags) != tag.is_not for one in doors]
        if all(fits):
            return ReachOfRule.ALL
        return ReachOfRule.MOST if any(fits) else ReachOfRule.NONE


def is_local_listener(listener: SmtpdListener) -> bool:
    interface = listener.interface
    return interface is None or interface in LOOPBACK_INTERFACES or is_loopback(interface)


def is_for_logins(listener: SmtpdListener) -> bool:
    """Whether only clients that log in can send there."""
    return listener.auth == "auth"


def _is_door(listener: SmtpdListener, caller: MailBringer) -> bool:
    if caller is MailBringer.FILTER:
        return is_local_listener(listener) and listener.tag is not None
    return not is_local_listener(listener) and not is_for_logins(listener)


def _some(condition: SmtpdCondition) -> ReachOfRule:
    return ReachOfRule.MOST if condition.is_not else ReachOfRule.SOME


def _login(condition: SmtpdCondition | None) -> ReachOfRule:
    return ReachOfRule.ALL if condition is None or condition.is_not else ReachOfRule.NONE


def _addresses(condition: SmtpdCondition) -> ReachOfRule:
    """Of `from src`: the whole internet if it lists all of IPv4 or of IPv6."""
    if condition.is_regex or condition.table is None or not condition.table.is_known:
        return _some(condition)
    names = [entry.key.removeprefix("ipv6:") for entry in condition.table.entries]
    if any(_is_everyone(name) for name in names):
        return ReachOfRule.NONE if condition.is_not else ReachOfRule.ALL
    if all(name == "local" or is_loopback(name) for name in names):
        return ReachOfRule.ALL if condition.is_not else ReachOfRule.NONE
    return _some(condition)


def _is_everyone(name: str) -> bool:
    try:
        return ip_network(name.strip("[]"), strict=False).prefixlen == 0
    except ValueError:
        return False


def _covers(rule: SmtpdRule, domain: str) -> Covered:
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


def _domains_of(rule: SmtpdRule) -> Iterator[str]:
    condition = rule.destination.condition
    if rule.destination.kind is SmtpdFor.DOMAINS and not condition.is_not and not condition.is_regex:
        yield from _exact(condition.table)
    recipient = rule.recipient
    if rule.destination.kind is not SmtpdFor.ANY or recipient is None or recipient.is_not:
        return
    if recipient.table is not None and not recipient.is_regex:
        addresses = [one.key for one in recipient.table.entries if "@" in one.key]
        yield from (one.rpartition("@")[2].lower() for one in addresses if "*" not in one and one != "@")


def _exact(table: SmtpdTable | None) -> Iterator[str]:
    if table is not None and table.is_known:
        yield from (one.key.lower() for one in table.entries if "*" not in one.key)


def _listed(condition: SmtpdCondition | None, domain: str) -> list[TableEntry] | None:
    """The entries that name single addresses of the domain; None if they cannot be listed."""
    if condition is None or condition.is_not:
        return None
    return _entries_for(condition, domain)


def _entries_for(condition: SmtpdCondition, domain: str) -> list[TableEntry] | None:
    if condition.is_regex or condition.table is None or not condition.table.is_known:
        return None
    return [one for one in condition.table.entries if names_address(one.key, domain)]


def names_address(key: str, domain: str) -> bool:
    """Whether an entry of a list of addresses names one of the domain: user, or user@domain."""
    local, at, pattern = key.rpartition("@")
    if len(at) == 0:
        return len(key) > 0
    return len(local) > 0 and domain_matches(domain, pattern)


def names_whole_domain(condition: SmtpdCondition | None, domain: str) -> bool:
    """Whether a list names the domain as a whole: @domain, or @ alone."""
    if condition is None or condition.table is None or condition.is_not or condition.is_regex:
        return False
    keys = [one.key for one in condition.table.entries if one.key.startswith("@")]
    return any(key == "@" or domain_matches(domain, key[1:]) for key in keys)
