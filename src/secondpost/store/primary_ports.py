"""Ports for primaries, and for daily counts of their mail.

They are parts of the ports in ports.py, which describes reads, writes and their errors.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from secondpost.mail.address import Domain
from secondpost.mail.daily import DailyCount
from secondpost.mail.offered import Offered


@dataclass(frozen=True, slots=True)
class Primary:
    """A backup domain's site that has accepted a connection at least once. While it is down, there
    is also a SiteDown.
    """

    site: str
    since_ms: int  # first connection accepted, or first after it was down
    looked_ms: int  # latest one
    offered: Offered  # at the latest one


@dataclass(frozen=True, slots=True)
class RefusedCount:
    """Number of refused recipients of a domain, to be added to the count."""

    day: int  # mail/daily.day_of
    domain: Domain
    what: DailyCount  # REFUSED or REFUSED_FOR_NOW
    deliveries: int


@dataclass(frozen=True, slots=True)
class DayCount:
    domain: Domain
    what: DailyCount
    today: int  # number of deliveries
    all_days: int  # including today


class PrimariesIntake(Protocol):
    """The receive role's view of primaries."""

    async def primaries(self) -> dict[Domain, Primary]:
        """By domain, including domains no longer backed up."""
        ...

    def count_refused(self, counts: Sequence[RefusedCount]) -> Awaitable[None]: ...


class PrimariesClaims(Protocol):
    """The deliver role's view of primaries."""

    def saw_primary(self, site: str, offered: Offered, now_ms: int) -> Awaitable[None]:
        """Record that the site accepted a connection."""
        ...

    async def relay_sites(self) -> list[tuple[Domain, str]]:
        """The last hinted site of every domain in lane relay, whether or not mail waits for it."""
        ...


class PrimariesDesk(Protocol):
    """The owner's view of primaries."""

    async def relay_sites(self) -> list[tuple[Domain, str]]: ...

    async def primaries(self) -> dict[Domain, Primary]: ...

    async def kept_for(self, cause: str) -> dict[Domain, int]:
        """Number of deliveries per domain kept for a cause (its word), where there are any."""
        ...

    async def recipients_learned(self, domain: Domain) -> int:
        """Number of mailboxes of a domain that are known to exist."""
        ...

    async def day_counts(self, today: int, days: int) -> list[DayCount]:
        """Counts of the last `days` days, for each domain that is or was backed up; zeros are left
        out.
        """
        ...


class PrimariesKeeping(Protocol):
    """Housekeeping of primaries."""

    async def forget_primaries(self, looked_before_ms: int) -> None:
        """Delete primaries not seen since then and not down."""
        ...

    async def forget_days(self, before_day: int) -> None:
        """Delete counts of days before this one. In batches."""
        ...
