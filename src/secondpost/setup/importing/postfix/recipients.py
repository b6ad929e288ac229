"""Which recipients of a relay domain a stranger could write to, as `recipients` of our [[backup]].

Postfix's answer is asked for local parts that no table has, and for each that one has: if it takes the
former, `any` takes all; otherwise the latter make a list.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from secondpost.setup.importing.postfix.lookups import OldAddress, by_address
from secondpost.setup.importing.postfix.patterns import named_addresses, named_domains
from secondpost.setup.importing.postfix.policy import OldAnswer, OldClass, OldPolicy, Ruling
from secondpost.setup.importing.postfix.restrictions import Permits, action_of
from secondpost.setup.importing.postfix.tables import (
    CombinedTable,
    OldTable,
    PatternTable,
    TableValue,
    keys_of,
)
from secondpost.setup.importing.postfix.ways import PROBE

# Local parts of several shapes, since patterns may tell them apart.
PROBES = (PROBE, "zqk.vwx", "zqkvwx", "2718281")
ADDRESSES_MAX = 1_000_000  # of all domains

_ORDER = (OldAnswer.TAKEN, OldAnswer.ASKED, OldAnswer.UNSURE, OldAnswer.REFUSED)


class Openness(StrEnum):
    """What is known of a domain's recipients."""

    ANY = "any"
    LISTED = "listed"
    LEARNED = "learned"  # reject_unverified_recipient
    PARTLY_KNOWN = "partly known"  # besides those that are listed, a table decides that cannot be listed
    CLOSED = "closed"  # a stranger could write to none


@dataclass(frozen=True, slots=True)
class RefusedAddress:
    """An address to which the rest does not apply."""

    local: str
    ruling: Ruling


@dataclass(frozen=True, slots=True)
class OldRecipients:
    """`listed`: local parts. `refused`: those that Postfix refused although it took all others.
    `ruling`: of an address that no table has. `rewritten`: by local part, where an alias leads.
    """

    openness: Openness
    listed: tuple[str, ...]
    refused: tuple[RefusedAddress, ...]
    ruling: Ruling
    rewritten: dict[str, TableValue]


@dataclass(frozen=True, slots=True)
class RecipientSurvey:
    """`policies`: of each service on which strangers could deliver; the strictest answer counts.

    `locals_by_domain`: local parts that tables have. `everywhere`: those that tables have for every domain.
    """

    policies: Sequence[OldPolicy]
    locals_by_domain: dict[str, dict[str, None]]
    everywhere: tuple[str, ...]
    delimiters: str

    def of(self, domain: str) -> OldRecipients:
        rulings = [self.rule(probe, domain) for probe in PROBES]
        generic = max(rulings, key=lambda one: _ORDER.index(one.answer))
        answers = {one.answer for one in rulings}
        listed, refused, rewritten = list[str](), list[RefusedAddress](), dict[str, TableValue]()
        for local in (*self.locals_by_domain.get(domain, {}), *self.everywhere):
            alias = self._alias(local, domain)
            if alias is not None:
                rewritten[local] = alias
            ruling = self.rule(local, domain)
            if ruling.answer is OldAnswer.REFUSED:
                refused.append(RefusedAddress(local, ruling))
            elif alias is None or self._is_known(local, domain):
                listed.append(local)
        openness = self._openness(answers, listed, domain)
        exceptions = tuple(refused) if openness is not Openness.LISTED else ()
        return OldRecipients(openness, tuple(listed), exceptions, generic, rewritten)

    def rule(self, local: str, domain: str) -> Ruling:
        address = OldAddress(local, domain, self.delimiters)
        rulings = (policy.rule(address) for policy in self.policies)
        return max(rulings, key=lambda one: _ORDER.index(one.answer))

    def _openness(self, answers: set[OldAnswer], listed: Sequence[str], domain: str) -> Openness:
        if answers == {OldAnswer.TAKEN}:
            return Openness.ANY
        if answers == {OldAnswer.ASKED}:
            return Openness.LEARNED
        if answers != {OldAnswer.REFUSED} or self._has_patterns_for(domain):
            return Openness.PARTLY_KNOWN
        return Openness.LISTED if len(listed) > 0 else Openness.CLOSED

    def _alias(self, local: str, domain: str) -> TableValue | None:
        """Where an alias leads from an address, unless to itself."""
        address = OldAddress(local, domain, self.delimiters)
        for policy in self.policies:
            found = by_address(policy.recipients.rewriting, address)
            if isinstance(found, TableValue) and not _is_itself(found.value, address):
                return found
        return None

    def alias_of_all(self, domain: str) -> TableValue | None:
        """An alias for every address of a domain."""
        return self._alias(PROBE, domain)

    def _is_known(self, local: str, domain: str) -> bool:
        """Whether an address is valid by more than its alias; alias tables often are in both lists."""
        address = OldAddress(local, domain, self.delimiters)
        recipients = self.policies[0].recipients
        tables = recipients.known.get(OldClass.RELAY, ())
        aliases = {table.name for table in recipients.rewriting}
        others = [table for table in tables if table.name not in aliases]
        return len(tables) == 0 or by_address(others, address) is not None

    def _has_patterns_for(self, domain: str) -> bool:
        """Whether a pattern may accept addresses of the domain that it does not name one by one."""
        for policy in self.policies:
            for table in policy.recipients.known.get(OldClass.RELAY, ()):
                if _may_accept(table, domain, is_access=False):
                    return True
            if any(_may_accept(table, domain, is_access=True) for table in access_tables(policy)):
                return True
        return False


def _may_accept(table: OldTable, domain: str, *, is_access: bool) -> bool:
    match table:
        case CombinedTable():
            return any(_may_accept(one, domain, is_access=is_access) for one in table.tables)
        case PatternTable():
            for rule in table.rules.rules:
                named = named_domains(rule.written)
                is_elsewhere = len(named) > 0 and domain not in named
                if len(named_addresses(rule.written)) > 0 or is_elsewhere or "@" not in rule.written:
                    continue
                if not is_access or isinstance(action_of(rule.value), Permits):
                    return True
    return False


def _is_itself(value: str, address: OldAddress) -> bool:
    target = value.strip().lower()
    return target in (address.whole, f"@{address.domain}", address.local)


def survey(policies: Sequence[OldPolicy], delimiters: str) -> RecipientSurvey:
    by_domain = dict[str, dict[str, None]]()
    everywhere = dict[str, None]()
    for number, key in enumerate(_address_keys(policies)):
        local, _, domain = key.rpartition("@")
        if len(local) == 0 or number >= ADDRESSES_MAX:
            continue
        if len(domain) == 0:
            everywhere[local] = None
        else:
            by_domain.setdefault(domain, {})[local] = None
    return RecipientSurvey(policies, by_domain, tuple(everywhere), delimiters)


def _address_keys(policies: Sequence[OldPolicy]) -> Iterator[str]:
    for policy in policies:
        for table in (*policy.recipients.known.get(OldClass.RELAY, ()), *policy.recipients.rewriting):
            yield from (key for key in keys_of(table) if "@" in key)
        for table in access_tables(policy):
            yield from (key for key in keys_of(table) if "@" in key)


def access_tables(policy: OldPolicy) -> Iterator[OldTable]:
    for step in policy.all_steps():
        if step.table is not None and step.word == "check_recipient_access":
            yield step.table
