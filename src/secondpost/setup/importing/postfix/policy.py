"""The answer that a stranger got to RCPT: a client that is in no list of Postfix's, with a sender of which
the same is true (smtpd_access_check(3), SMTPD_ACCESS_README).

What depends on the client, the sender or the time beyond that (block lists, policy services) is passed
over here; the report says so at its line.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.postfix.lookups import (
    OldAddress,
    by_access,
    by_address,
    by_client,
    by_domain,
)
from secondpost.setup.importing.postfix.names import NameList
from secondpost.setup.importing.postfix.restrictions import (
    KNOWN_WORD,
    Permits,
    Refuses,
    RestrictionStep,
    Restricts,
    StepReader,
    action_of,
)
from secondpost.setup.importing.postfix.tables import (
    ConstantTable,
    OldTable,
    TableResult,
    TableValue,
    Unknowable,
)

CLASSES_DEEP_MAX = 20  # restriction classes within restriction classes

# Clients that stand for all: what a table says of them counts if it says the same of each. They are of
# ordinary networks, since lists of those that must not occur on the internet are common.
STRANGER_ADDRESSES = ("5.45.77.9", "62.77.5.9", "91.5.77.9", "151.77.5.9", "212.5.77.9")
STRANGER_DOMAIN = "stranger.example"
STRANGER_CLIENT = f"mail.{STRANGER_DOMAIN}"
STRANGER = OldAddress("stranger", STRANGER_DOMAIN)

_REFUSE_ALL = frozenset({"reject", "defer", "defer_if_permit"})
_UNAUTHORISED = frozenset({"reject_unauth_destination", "defer_unauth_destination"})
_UNLISTED = frozenset({"reject_unlisted_recipient", "check_recipient_maps"})


class OldClass(StrEnum):
    """What a domain is to Postfix (ADDRESS_CLASS_README)."""

    LOCAL = "mydestination"
    ALIAS = "virtual_alias_domains"
    MAILBOX = "virtual_mailbox_domains"
    RELAY = "relay_domains"
    ELSEWHERE = "default"


@dataclass(frozen=True, slots=True)
class OldDomains:
    """The lists that decide a domain's class, in the order in which Postfix asks them."""

    lists: Mapping[OldClass, NameList]

    def class_of(self, domain: str) -> OldClass:
        """A list that cannot be known counts as one without the domain."""
        return next(
            (one for one, names in self.lists.items() if names.match(domain) is True), OldClass.ELSEWHERE
        )


class OldAnswer(StrEnum):
    TAKEN = "taken"
    ASKED = "asked"  # taken if the primary takes it (reject_unverified_recipient)
    UNSURE = "unsure"  # a table that cannot be read decides
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Ruling:
    """`because`: the parameter or restriction that decided; `entry`: of a table, if one did."""

    answer: OldAnswer
    because: str = ""
    entry: TableValue | None = None


@dataclass(frozen=True, slots=True)
class KnownRecipients:
    """`known`: the tables by class that list valid recipients; without any, every recipient is valid.
    `rewriting`: canonical and alias maps, whose keys are valid too.
    """

    known: Mapping[OldClass, Sequence[OldTable]]
    rewriting: Sequence[OldTable]

    def is_listed(self, address: OldAddress, its_class: OldClass) -> TableResult:
        result = by_address(self.rewriting, address, is_local=its_class is OldClass.LOCAL)
        if isinstance(result, TableValue):
            return result
        tables = self.known.get(its_class, ())
        if len(tables) == 0:
            return TableValue("", OldPlace("", 0))
        return by_address(tables, address, is_local=its_class is OldClass.LOCAL)


@dataclass(frozen=True, slots=True)
class _State:
    """What is known of a recipient before the steps are walked."""

    address: OldAddress
    its_class: OldClass
    listed: TableResult


@dataclass(slots=True)
class _StepsTaken:
    """The answer while the steps are walked."""

    asked: bool = False
    unsure: bool = False
    refused: Ruling | None = None


@dataclass(frozen=True, slots=True)
class OldPolicy:
    """`classes`: smtpd_restriction_classes, by name in lower case, as text."""

    domains: OldDomains
    recipients: KnownRecipients
    stages: Mapping[str, tuple[RestrictionStep, ...]]
    classes: Mapping[str, str]
    trusts_all: bool  # mynetworks has every address of IPv4
    takes_below: bool  # smtpd_access_maps in parent_domain_matches_subdomains
    checks_listed: bool  # smtpd_reject_unlisted_recipient
    steps: StepReader
    expanded: dict[tuple[str, str], tuple[RestrictionStep, ...]] = field(default_factory=dict)

    def rule(self, address: OldAddress) -> Ruling:
        its_class = self.domains.class_of(address.domain)
        state = _State(address, its_class, self.recipients.is_listed(address, its_class))
        walk = _StepsTaken()
        for steps in self.stages.values():
            self._stage(steps, state, walk, 0)
            if walk.refused is not None:
                return walk.refused
        if self.checks_listed:
            self._listed(state, walk)
        if walk.refused is not None:
            return walk.refused
        if walk.unsure:
            return Ruling(OldAnswer.UNSURE)
        return Ruling(OldAnswer.ASKED if walk.asked else OldAnswer.TAKEN)

    def all_steps(self) -> Iterator[RestrictionStep]:
        """The steps of all stages, and of the classes that they may name."""
        for steps in self.stages.values():
            yield from steps
        for text in self.classes.values():
            yield from self._restricting(text, "recipient")

    def _stage(self, steps: Sequence[RestrictionStep], state: _State, walk: _StepsTaken, deep: int) -> bool:
        """Whether the stage ends here: it permits, or refuses."""
        return any(not step.only_warns and self._step(step, state, walk, deep) for step in steps)

    def _step(self, step: RestrictionStep, state: _State, walk: _StepsTaken, deep: int) -> bool:
        is_ours = state.its_class is not OldClass.ELSEWHERE
        if step.word == "permit" or (step.word == "permit_auth_destination" and is_ours):
            return True
        if step.word == "permit_mynetworks" and self.trusts_all:
            return True
        if step.word in _REFUSE_ALL or (step.word in _UNAUTHORISED and not is_ours):
            walk.refused = Ruling(OldAnswer.REFUSED, step.word)
        elif step.word in _UNLISTED:
            self._listed(state, walk)
        elif step.word == "reject_unverified_recipient":
            walk.asked = True
        elif step.table is not None:
            return self._access(step, step.table, state, walk, deep)
        elif step.word in self.classes and deep < CLASSES_DEEP_MAX:
            return self._stage(self._restricting(self.classes[step.word], step.stage), state, walk, deep + 1)
        elif KNOWN_WORD.fullmatch(step.word) is None:
            # "451 Server configuration error" (generic_checks), such as for a class that is not defined.
            walk.refused = Ruling(OldAnswer.REFUSED, step.word)
        return walk.refused is not None

    def _listed(self, state: _State, walk: _StepsTaken) -> None:
        if state.listed is None:
            walk.refused = Ruling(OldAnswer.REFUSED, "reject_unlisted_recipient")
        elif isinstance(state.listed, Unknowable):
            walk.unsure = True

    def _access(
        self, step: RestrictionStep, table: OldTable, state: _State, walk: _StepsTaken, deep: int
    ) -> bool:
        result = self._asked(step.word, table, state.address)
        if not isinstance(result, TableValue):
            # What is not known of clients and senders is passed over, and reported.
            walk.unsure |= isinstance(result, Unknowable) and step.word == "check_recipient_access"
            return False
        match action_of(result.value):
            case Permits():
                return True
            case Refuses():
                entry = result if not isinstance(table, ConstantTable) else None
                walk.refused = Ruling(OldAnswer.REFUSED, f"{step.word} {step.argument}", entry)
                return True
            case Restricts(text) if deep < CLASSES_DEEP_MAX:
                ends = self._stage(self._restricting(text, step.stage), state, walk, deep + 1)
                if walk.refused is not None and not isinstance(table, ConstantTable):
                    walk.refused = Ruling(OldAnswer.REFUSED, f"{step.word} {step.argument}", result)
                return ends
        return False

    def _restricting(self, text: str, stage: str) -> tuple[RestrictionStep, ...]:
        """Steps that stand in a table or a class, read once."""
        key = (text, stage)
        if key not in self.expanded:
            self.expanded[key] = self.steps.steps(text, stage, OldPlace("", 0))
        return self.expanded[key]

    def _asked(self, word: str, table: OldTable, address: OldAddress) -> TableResult:
        match word:
            case "check_recipient_access":
                return by_access(table, address, takes_below=self.takes_below)
            case "check_sender_access":
                return by_access(table, STRANGER, takes_below=self.takes_below)
            case "check_helo_access":
                return by_domain(table, STRANGER_DOMAIN, takes_below=self.takes_below)
            case "check_client_access":
                return self._of_clients(table)
            case "check_reverse_client_hostname_access":
                return by_domain(table, STRANGER_CLIENT, takes_below=self.takes_below)
        return None

    def _of_clients(self, table: OldTable) -> TableResult:
        results = [
            by_client(table, STRANGER_CLIENT, address, takes_below=self.takes_below)
            for address in STRANGER_ADDRESSES
        ]
        actions = {action_of(one.value) if isinstance(one, TableValue) else None for one in results}
        return results[0] if len(actions) == 1 else None


def in_order(relay_first: bool) -> Iterator[str]:
    """The stages in which restrictions are evaluated (smtpd_relay_before_recipient_restrictions)."""
    yield from ("client", "helo", "sender")
    yield from ("relay", "recipient") if relay_first else ("recipient", "relay")
    yield from ("data", "end")
