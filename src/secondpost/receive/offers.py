"""What the primary of each backup domain offers, read from the store at intervals."""

from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.duration import DAY_MS
from secondpost.mail.offered import Offered
from secondpost.store.ports import StoreUnavailable
from secondpost.store.primary_ports import PrimariesIntake
from secondpost.world.ports import Clock

FRESH_MS = 7 * DAY_MS  # a primary not seen for longer may have changed
SIZE_MAX = 50_000_000  # octets of a message, if no domain sets a limit


class PrimaryOffers:
    """The offers as last read: the role looks every Rhythms.offers_seconds. Before the
    first look all are unknown.
    """

    def __init__(self, config: Config, intake: PrimariesIntake, clock: Clock) -> None:
        self._max_sizes = {backup.domain: backup.max_size for backup in config.backups}
        self._intake = intake
        self._clock = clock
        self._offered: dict[Domain, Offered] = {}
        self._size_max = max(self._max_sizes.values(), default=SIZE_MAX)

    def of(self, domain: Domain) -> Offered | None:
        """None: unknown, or no backup domain."""
        return self._offered.get(domain)

    @property
    def size_max(self) -> int:
        """Octets of the largest message that any domain takes (RFC 1870)."""
        return self._size_max

    async def look(self) -> None:
        try:
            primaries = await self._intake.primaries()
        except StoreUnavailable:
            return  # the last values stay
        now_ms = self._clock.now_ms()
        self._offered = {
            domain: primary.offered
            for domain, primary in primaries.items()
            if domain in self._max_sizes and 0 <= now_ms - primary.looked_ms < FRESH_MS
        }
        self._size_max = max((self._size_of(domain) for domain in self._max_sizes), default=SIZE_MAX)

    def _size_of(self, domain: Domain) -> int:
        offered, own = self._offered.get(domain), self._max_sizes[domain]
        return own if offered is None or offered.size_max is None else min(own, offered.size_max)
