"""Tells a domain that refuses us from a message that it refuses. Pure.

A 5.7.x before the content was seen may be about us (a block list, a setting gone wrong): if it meets
every message of a domain, ending them would empty the spool for a passing mistake. So it only defers,
until others of the same domain get through; and when it meets several in a row, the domain is paused.
"""

from secondpost.mail.address import Domain
from secondpost.mail.delivery import Claimed
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause, Deferred, Delivered, Failed, Outcome

IN_A_ROW_MAX = 3  # messages refused before the domain is paused
ATTEMPTS_MIN = 3  # before a 5.7.x counts against the message, when others get through
DOMAINS_MAX = 10_000


class Refusals:
    def __init__(self) -> None:
        self._in_a_row: dict[tuple[Lane, Domain], int] = {}

    def passed(self, lane: Lane, domain: Domain) -> None:
        self._in_a_row.pop((lane, domain), None)

    def refused(self, lane: Lane, domain: Domain) -> bool:
        """Whether the domain is to be paused now."""
        count = self._in_a_row.get((lane, domain), 0) + 1
        if len(self._in_a_row) >= DOMAINS_MAX:
            self._in_a_row.clear()
        self._in_a_row[lane, domain] = count
        return count % IN_A_ROW_MAX == 0

    def weighed(self, claimed: Claimed, outcome: Outcome) -> Outcome:
        """A refusal by policy only defers, until it is clear that it is the message's own."""
        domain = claimed.recipient.domain
        match outcome:
            case Delivered():
                self.passed(claimed.lane, domain)
            case Failed(Cause.DOMAIN_POLICY, host, reply) if not self.counts(
                claimed.lane, domain, claimed.attempts
            ):
                return Deferred(Cause.DOMAIN_POLICY, host, reply)
        return outcome

    def counts(self, lane: Lane, domain: Domain, attempts: int) -> bool:
        """Whether a refusal may end this message: it is the message's own, as others get through."""
        return attempts + 1 >= ATTEMPTS_MIN and (lane, domain) not in self._in_a_row
