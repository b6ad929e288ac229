"""Bounds the mail that is taken for addresses of which nothing is known: a share of the domain's room, and so
many messages an hour from one network. So guesses never push out what comes for people who are known.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from secondpost.config.records import Backup
from secondpost.mail.address import Domain
from secondpost.mail.prefix import site_prefix
from secondpost.mail.verdict import ACCEPT, Verdict
from secondpost.policy.rate import PrefixRate
from secondpost.policy.room import UNVERIFIED_SHARE, UNVERIFIED_TOO_OFTEN, judge_unverified
from secondpost.store.ports import Intake
from secondpost.world.ports import Clock

HOUR_MS = 3_600_000
MESSAGES_PER_HOUR_MAX = 100  # from one network for one domain


@dataclass(slots=True)
class UnverifiedMail:
    """`free`: octets on the disk beyond the reserve."""

    intake: Intake
    clock: Clock
    free: Callable[[], int]
    _rates: dict[Domain, PrefixRate] = field(default_factory=dict)

    def judge(self, backup: Backup, caller: str) -> Verdict:
        """At the first such recipient of a message, which is counted."""
        rate = self._rates.setdefault(backup.domain, PrefixRate(MESSAGES_PER_HOUR_MAX, HOUR_MS))
        allowed = rate.allows(site_prefix(caller), self.clock.now_ms())
        return ACCEPT if allowed else UNVERIFIED_TOO_OFTEN

    def judge_room(self, backup: Backup, size: int, coming: Callable[[int], int]) -> Verdict:
        """`size`: octets of the message, as declared at first, and as they are when it is whole; `coming`:
        what other mail of this kind speaks for, of so many octets.
        """
        room = backup.quota
        if room is None:
            room = self.intake.stored_octets(backup.domain) + max(self.free(), 0)
        others = coming(int(room * UNVERIFIED_SHARE))
        return judge_unverified(room, size, self.intake.unverified_octets(backup.domain), others)
