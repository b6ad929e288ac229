"""Limits the messages of one network for unverified addresses of one domain, per hour."""

from dataclasses import dataclass, field

from secondpost.mail.address import Domain
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.network import site_prefix
from secondpost.policy.rate import PrefixRate
from secondpost.world.ports import Clock

MESSAGES_PER_HOUR_MAX = 100  # from one network for one domain


@dataclass(slots=True)
class UnverifiedMail:
    clock: Clock
    _rates: dict[Domain, PrefixRate] = field(default_factory=dict)

    def may_bring(self, domain: Domain, caller: str) -> bool:
        """Whether one more message is allowed, and count it. `caller`: IP address."""
        rate = self._rates.setdefault(domain, PrefixRate(MESSAGES_PER_HOUR_MAX, HOUR_MS))
        return rate.allows(site_prefix(caller), self.clock.now_ms())
