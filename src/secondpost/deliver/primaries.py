"""What is known of the primaries of backup domains: each domain's site, and what that site offers.

Every connection to a primary updates it, with or without mail. It is stored when it changes, and
otherwise every few minutes.
"""

from functools import partial

from secondpost.config.records import Config
from secondpost.deliver.settling import insist
from secondpost.mail.address import Domain
from secondpost.mail.duration import MINUTE_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.offered import Offered
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.protocols.smtp.client import Extensions
from secondpost.store.ports import Claims
from secondpost.world.background import Background
from secondpost.world.ports import Clock

WRITE_AGAIN_MS = 4 * MINUTE_MS  # for unchanged facts


class Primaries:
    def __init__(
        self,
        config: Config,
        claims: Claims,
        clock: Clock,
        alarms: StandingAlarms,
        background: Background,
    ) -> None:
        self._domains = frozenset(backup.domain for backup in config.backups)
        self._claims = claims
        self._clock = clock
        self._alarms = alarms
        self._background = background
        self._site_of: dict[Domain, str] = {}
        self._domains_at: dict[str, set[Domain]] = {}
        # With the time; only sites in `_domains_at`.
        self._seen: dict[str, tuple[Offered, int]] = {}
        self._written: dict[str, tuple[Offered, int]] = {}

    async def load(self) -> None:
        """Load the sites stored before. Raises StoreUnavailable, DiskFailed."""
        for domain, site in await self._claims.relay_sites():
            self.belongs(domain, site)

    def belongs(self, domain: Domain, site: str) -> bool:
        """Set a backup domain's site. Returns whether that changed; False for other domains."""
        before = self._site_of.get(domain)
        if domain not in self._domains or before == site:
            return False
        self._site_of[domain] = site
        self._domains_at.setdefault(site, set()).add(domain)
        if before is not None:
            self._leaves(domain, before)
        return True

    def _leaves(self, domain: Domain, site: str) -> None:
        domains = self._domains_at[site]
        domains.discard(domain)
        if len(domains) == 0:
            del self._domains_at[site]
            self._seen.pop(site, None)
            self._written.pop(site, None)

    def domains_at(self, site: str, limit: int) -> list[tuple[Lane, Domain]]:
        """Backup domains of the site, with or without waiting mail."""
        return [(Lane.RELAY, domain) for domain in sorted(self._domains_at.get(site, ()))[:limit]]

    def seen_ms(self, site: str) -> int | None:
        """When the site last accepted a connection, since this process began."""
        seen = self._seen.get(site)
        return None if seen is None else seen[1]

    def let_in(self, site: str, extensions: Extensions) -> None:
        """Note what the site offers in a new connection."""
        if site in self._domains_at:
            self._saw(site, Offered(extensions.size_max, extensions.smtputf8))

    def still_open(self, site: str) -> None:
        """Note that an earlier connection is still in use."""
        if site in self._seen:
            self._saw(site, self._seen[site][0])

    def _saw(self, site: str, offered: Offered) -> None:
        now_ms = self._clock.now_ms()
        self._seen[site] = (offered, now_ms)
        written = self._written.get(site)
        if written is None or written[0] != offered or now_ms - written[1] >= WRITE_AGAIN_MS:
            self._written[site] = (offered, now_ms)
            self._background(self._write(site, offered, now_ms))

    async def _write(self, site: str, offered: Offered, now_ms: int) -> None:
        write = partial(self._claims.saw_primary, site, offered, now_ms)
        await insist(write, f"what {site} offers", self._alarms)
