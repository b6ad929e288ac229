"""What the primary of each backup domain offers, as far as is known: read again every second."""

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.duration import DAY_MS
from secondpost.mail.offered import Offered
from secondpost.store.ports import Intake, StoreUnavailable
from secondpost.world.ports import Clock

LOOK_MS = 1_000  # between two looks at the store
FRESH_MS = 7 * DAY_MS  # a primary that was away for longer may have changed
SIZE_MAX = 50_000_000  # octets of a message, where no domain says another


class PrimaryOffers:
    def __init__(self, config: Config, intake: Intake, clock: Clock) -> None:
        self._max_sizes = {backup.domain: backup.max_size for backup in config.backups}
        self._intake = intake
        self._clock = clock
        self._looked_ms: int | None = None
        self._offered: dict[Domain, Offered] = {}
        self._size_max = max(self._max_sizes.values(), default=SIZE_MAX)

    def of(self, domain: Domain) -> Offered | None:
        """None: nothing is known, or it is no backup domain."""
        self._look()
        return self._offered.get(domain)

    @property
    def size_max(self) -> int:
        """Octets of the largest message that any of the domains takes (RFC 1870)."""
        self._look()
        return self._size_max

    def _look(self) -> None:
        now_ms = self._clock.now_ms()
        if self._looked_ms is not None and 0 <= now_ms - self._looked_ms < LOOK_MS:
            return
        self._looked_ms = now_ms
        try:
            primaries = self._intake.primaries()
        except StoreUnavailable:
            return  # what was known last
        self._offered = {
            domain: primary.offered
            for domain, primary in primaries.items()
            if domain in self._max_sizes and 0 <= now_ms - primary.looked_ms < FRESH_MS
        }
        self._size_max = max((self._size_of(domain) for domain in self._max_sizes), default=SIZE_MAX)

    def _size_of(self, domain: Domain) -> int:
        offered, own = self._offered.get(domain), self._max_sizes[domain]
        return own if offered is None or offered.size_max is None else min(own, offered.size_max)
