"""Which mail the old server takes from strangers: from clients that are neither local nor logged in.

The rules are walked for each domain as smtpd walks them for a recipient: the first that matches decides
(ruleset_match in ruleset.c). A rule for some strangers only never opens a domain here: it would be open
to all. Mail that is led through a filter on the old machine comes back there by a tagged listener, and
then follows the rules of that tag.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from secondpost.config.addresses import is_loopback
from secondpost.setup.importing.opensmtpd.matching import (
    Covered,
    ReachOfRule,
    covers,
    fits_all,
    has_tag,
    names_all_domains,
    reach_of_addresses,
    reach_of_list,
    reach_of_login,
    reach_of_names,
    reach_of_senders,
)
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

# Local parts that have nothing in common; a pattern that has them all has the domain.
LOCAL_PROBES = ("zqk.vwx", "2718281", "b-7", "postmaster")
LOOPBACK_INTERFACES = ("lo", "lo0", "localhost")


class MailBringer(Enum):
    """Who brings the mail."""

    STRANGER = auto()
    FILTER = auto()  # of the old machine, back through a listener of its own


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
    is_vague: bool = False  # a refusal of all others names them in a way that cannot be read
    decided: set[str] = field(default_factory=set)  # local parts that earlier lines refuse or deliver
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
        if rule is None or self.only is not None or self.is_vague:
            return False
        return rule.recipient is None or names_whole_domain(rule.recipient, self.domain)

    def leaves(self, entry: TableEntry) -> bool:
        """Whether the lines before leave this address to later ones."""
        names = None if self.only is None else {_local_of(one) for one in self.only}
        return _local_of(entry) not in self.decided and (names is None or _local_of(entry) in names)

    def leave_only(self, entries: list[TableEntry] | None) -> bool:
        """Refuse all addresses but `entries`; None: they are not known. True if no address is left."""
        if entries is None:
            self.is_vague = True
            return False
        self.only = [entry for entry in entries if self.leaves(entry)]
        return len(self.only) == 0


@dataclass(frozen=True, slots=True)
class Strangers:
    rules: Sequence[SmtpdRule]
    listeners: Sequence[SmtpdListener]
    is_old: bool

    def reach(self, rule: SmtpdRule, caller: MailBringer = MailBringer.STRANGER) -> ReachOfRule:
        if len(self.listeners) > 0 and not any(_is_door(one, caller) for one in self.listeners):
            return ReachOfRule.NONE
        parts = [self._source(rule, caller), reach_of_login(rule.login), self._tag(rule.tag, caller)]
        parts += [ReachOfRule.MOST for one in (rule.tls,) if one is not None]
        parts += [reach_of_senders(one) for one in (rule.sender,) if one is not None]
        parts += [reach_of_list(one) for one in (rule.helo,) if one is not None]
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
        anywhere = (
            destination.kind is SmtpdFor.ANY or destination.condition.is_not or names_all_domains(destination)
        )
        whole = self.reach(rule) in (ReachOfRule.ALL, ReachOfRule.MOST) and rule.recipient is None
        return isinstance(rule.action, SmtpdRelay) and whole and anywhere

    def _walk(self, way: DomainWay, caller: MailBringer) -> None:
        for rule in self.rules:
            reach, covered = self.reach(rule, caller), covers(rule, way.domain)
            if reach is ReachOfRule.NONE or covered is Covered.NO:
                continue
            # A refusal that may be for the domain is one: what was closed is not opened.
            is_unsure = covered is Covered.PERHAPS and rule.action is not None
            if reach is ReachOfRule.SOME or is_unsure or self.is_open_relay(rule):
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
        is_for_any = rule.destination.kind is SmtpdFor.ANY and rule.action is not None
        if entries is None and rule.recipient is not None and is_for_any:
            way.passed_over.append(rule)  # which domains it is for is not known
            return False
        if entries is not None and len(entries) == 0 and not is_whole:
            return False
        match rule.action:
            case None:
                way.refuses.append(rule)
                way.decided |= {_local_of(entry) for entry in entries or ()}
                way.is_vague |= rule.recipient is not None and not _is_readable(rule.recipient)
                if rule.recipient is not None and rule.recipient.is_not:
                    return way.leave_only(_entries_for(rule.recipient, way.domain))
            case SmtpdLocal():
                way.delivers.append(rule)
                way.decided |= {_local_of(entry) for entry in entries or ()}
            case SmtpdRelay():
                way.relays.append(rule)
                if entries is None or is_whole:
                    way.takes_rest = rule
                way.listed += [(entry, rule) for entry in entries or () if way.leaves(entry)]
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
                return reach_of_names(condition)
            case _:
                return reach_of_addresses(condition)

    def _tag(self, tag: SmtpdCondition | None, caller: MailBringer) -> ReachOfRule:
        doors = [one for one in self.listeners if _is_door(one, caller)]
        if tag is None:
            return ReachOfRule.ALL
        if tag.table is None or len(doors) == 0:
            return ReachOfRule.SOME
        fits = [has_tag(one, tag) != tag.is_not for one in doors]
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


def _local_of(entry: TableEntry) -> str:
    local, at, _ = entry.key.rpartition("@")
    return (local if len(at) > 0 else entry.key).lower()


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


def _is_readable(condition: SmtpdCondition) -> bool:
    """A pattern is as good as read: it was asked whether it has the whole domain."""
    return condition.is_regex or (condition.table is not None and condition.table.is_known)


def names_address(key: str, domain: str) -> bool:
    """Whether an entry of a list of addresses names one of the domain: user, or user@domain."""
    local, at, pattern = key.rpartition("@")
    if len(at) == 0:
        return len(key) > 0
    return len(local) > 0 and domain_matches(domain, pattern)


def names_whole_domain(condition: SmtpdCondition | None, domain: str) -> bool:
    """Whether a list names the domain as a whole: @domain, @ alone, or a pattern."""
    if condition is None or condition.table is None or condition.is_not:
        return False
    if condition.is_regex:
        probes = [f"{local}@{domain}" for local in LOCAL_PROBES]
        return any(fits_all(one.key, probes) for one in condition.table.entries)
    keys = [one.key for one in condition.table.entries if one.key.startswith("@")]
    return any(key == "@" or domain_matches(domain, key[1:]) for key in keys)
