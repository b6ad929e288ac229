"""What was found in logs, counted by rule, mail server and network; bounded whatever the logs are."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from secondpost.mail.network import caller_prefix
from secondpost.protocols.attacks.rule import AttackRule
from secondpost.watch.hole import KnownHole, MailSoftware
from secondpost.watch.logs.dates import year_earlier
from secondpost.watch.logs.seen import LogOutcome

NETWORKS_MAX = 20_000  # counted by themselves, over all rules
ADDRESSES_MAX = 100_000  # counted one by one, over all rules
OTHERS = "other networks"  # what is counted together above that
UNKNOWN = ""  # the network of an attempt whose client the log does not name
SAMPLE_OCTETS_MAX = 300


@dataclass(slots=True)
class Attempts:
    """Attempts of one kind: how many by outcome, and when."""

    outcomes: Counter[LogOutcome] = field(default_factory=Counter)
    first_ms: int | None = None
    last_ms: int | None = None

    @property
    def count(self) -> int:
        return self.outcomes.total()

    def add(self, outcome: LogOutcome, when_ms: int | None) -> None:
        self.outcomes[outcome] += 1
        self._seen(when_ms, when_ms)

    def merge(self, other: "Attempts") -> None:
        self.outcomes.update(other.outcomes)
        self._seen(other.first_ms, other.last_ms)

    def year_earlier(self) -> None:
        if self.first_ms is not None and self.last_ms is not None:
            self.first_ms, self.last_ms = year_earlier(self.first_ms), year_earlier(self.last_ms)

    def _seen(self, first_ms: int | None, last_ms: int | None) -> None:
        if first_ms is not None and (self.first_ms is None or first_ms < self.first_ms):
            self.first_ms = first_ms
        if last_ms is not None and (self.last_ms is None or last_ms > self.last_ms):
            self.last_ms = last_ms


@dataclass(slots=True)
class RuleTally:
    """The attempts that a rule found in the logs of one mail server. `sample`: as it came, cut. `open`: the
    holes by which those that were not refused may have succeeded.
    """

    rule: AttackRule
    software: MailSoftware
    sample: bytes
    all: Attempts = field(default_factory=Attempts)
    networks: dict[str, Attempts] = field(default_factory=dict)
    addresses: set[str] = field(default_factory=set)
    more_addresses: bool = False
    open: tuple[KnownHole, ...] = ()

    def networks_by_attempts(self) -> list[tuple[str, Attempts]]:
        """The most first."""
        return sorted(self.networks.items(), key=lambda each: (-each[1].count, each[0]))


@dataclass(frozen=True, slots=True)
class LogAttempt:
    """One attempt: `open` as in RuleTally."""

    rule: AttackRule
    software: MailSoftware
    outcome: LogOutcome
    peer: str | None
    when_ms: int | None
    sample: bytes
    open: tuple[KnownHole, ...]


class LogTally:
    def __init__(self, networks_max: int = NETWORKS_MAX, addresses_max: int = ADDRESSES_MAX) -> None:
        self._networks_max = networks_max
        self._addresses_max = addresses_max
        self._tallies: dict[tuple[str, MailSoftware], RuleTally] = {}
        self._networks = 0
        self._addresses = 0

    def __iter__(self) -> Iterator[RuleTally]:
        return iter(self._tallies.values())

    @property
    def attempts(self) -> int:
        return sum(each.all.count for each in self)

    def add(self, attempt: LogAttempt) -> None:
        outcome, peer, when_ms = attempt.outcome, attempt.peer, attempt.when_ms
        tally = self._of(attempt.rule, attempt.software, attempt.sample)
        if len(attempt.open) > 0 and len(tally.open) == 0:
            tally.sample = attempt.sample[:SAMPLE_OCTETS_MAX]  # rather one that may have succeeded
        tally.open = _joined(tally.open, attempt.open)
        tally.all.add(outcome, when_ms)
        self._network(tally, _network_of(peer)).add(outcome, when_ms)
        if peer is not None:
            self._note_address(tally, peer)

    def taken(self, counted: LogAttempt, later: LogAttempt) -> None:
        """A later line says that an attempt that was counted was taken."""
        tally = self._of(counted.rule, counted.software, counted.sample)
        tally.open = _joined(tally.open, later.open)
        for attempts in (tally.all, self._network(tally, _network_of(counted.peer))):
            attempts.outcomes[counted.outcome] -= 1
            attempts.outcomes[later.outcome] += 1

    def merge(self, other: "LogTally") -> None:
        for theirs in other:
            tally = self._of(theirs.rule, theirs.software, theirs.sample)
            tally.all.merge(theirs.all)
            tally.open = _joined(tally.open, theirs.open)
            tally.more_addresses |= theirs.more_addresses
            for network, attempts in theirs.networks.items():
                self._network(tally, network).merge(attempts)
            for address in theirs.addresses:
                self._note_address(tally, address)

    def year_earlier(self) -> None:
        """All that was counted so far is a year older than it seemed."""
        for tally in self:
            tally.all.year_earlier()
            for attempts in tally.networks.values():
                attempts.year_earlier()

    def _of(self, rule: AttackRule, software: MailSoftware, sample: bytes) -> RuleTally:
        tally = self._tallies.get((rule.id, software))
        if tally is None:
            tally = RuleTally(rule, software, sample[:SAMPLE_OCTETS_MAX])
            self._tallies[rule.id, software] = tally
        return tally

    def _network(self, tally: RuleTally, network: str) -> Attempts:
        attempts = tally.networks.get(network)
        if attempts is not None:
            return attempts
        if self._networks >= self._networks_max and network != UNKNOWN:
            return tally.networks.setdefault(OTHERS, Attempts())
        self._networks += 1
        attempts = tally.networks[network] = Attempts()
        return attempts

    def _note_address(self, tally: RuleTally, address: str) -> None:
        if address in tally.addresses:
            return
        if self._addresses >= self._addresses_max:
            tally.more_addresses = True
            return
        tally.addresses.add(address)
        self._addresses += 1


def _network_of(peer: str | None) -> str:
    return UNKNOWN if peer is None else caller_prefix(peer)


def _joined(some: tuple[KnownHole, ...], more: tuple[KnownHole, ...]) -> tuple[KnownHole, ...]:
    return some if some == more else tuple(dict.fromkeys((*some, *more)))
