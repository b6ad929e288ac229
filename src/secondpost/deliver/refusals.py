"""Tells a domain that refuses us from a message that is refused. Pure.

A 5.7.x before the content may be about us (a block list, a wrong setting). If it meets every
message of a domain, failing them would empty the spool for a passing mistake. So it only defers
until other mail of the domain gets through; after several in a row, the domain is paused.
"""

from collections.abc import Callable

from secondpost.mail.address import Domain
from secondpost.mail.delivery import Claimed
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause, Deferred, Delivered, Failed, Outcome

IN_A_ROW_MAX = 3  # messages refused before the domain is paused
ATTEMPTS_MIN = 3  # before a 5.7.x counts against the message, while other mail gets through
DOMAINS_MAX = 10_000


class Refusals:
    """`over`: called when mail of a domain gets through after refusals."""

    def __init__(self, over: Callable[[Lane, Domain], None]) -> None:
        self._over = over
        self._in_a_row: dict[tuple[Lane, Domain], int] = {}

    def passed(self, lane: Lane, domain: Domain) -> None:
        if self._in_a_row.pop((lane, domain), 0) > 0:
            self._over(lane, domain)

    def refused(self, lane: Lane, domain: Domain) -> bool:
        """Count a refusal by policy; returns whether to pause the domain now."""
        count = self._in_a_row.get((lane, domain), 0) + 1
        if len(self._in_a_row) >= DOMAINS_MAX:
            self._in_a_row.clear()
        self._in_a_row[lane, domain] = count
        return count % IN_A_ROW_MAX == 0

    def weighed(self, claimed: Claimed, outcome: Outcome) -> Outcome:
        """The outcome, with a refusal by policy turned into a deferral until it is clear that it is
        about the message.
        """
        domain = claimed.recipient.domain
        match outcome:
            case Delivered():
                self.passed(claimed.lane, domain)
            case Failed((Cause.DOMAIN_POLICY | Cause.SENDER_POLICY) as cause, host, reply) if not self.counts(
                claimed.lane, domain, claimed.attempts
            ):
                return Deferred(cause, host, reply)
        return outcome

    def counts(self, lane: Lane, domain: Domain, attempts: int) -> bool:
        """Whether a refusal may end the message: it was tried often enough, and other mail gets
        through.
        """
        return attempts + 1 >= ATTEMPTS_MIN and (lane, domain) not in self._in_a_row
