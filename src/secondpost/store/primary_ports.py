"""What the stations may expect of the store about primaries, and about what came of mail for them day by day.

Parts of the ports in ports.py, where it stands what reads, writes and their errors are like.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from secondpost.mail.address import Domain
from secondpost.mail.daily import DailyCount
from secondpost.mail.offered import Offered


@dataclass(frozen=True, slots=True)
class Primary:
    """A backup domain's site that has let us in at least once. While it is down, there is a SiteDown too."""

    site: str
    since_ms: int  # when it first let us in, or did again after it was down
    looked_ms: int  # when it did last
    offered: Offered  # then


@dataclass(frozen=True, slots=True)
class RefusedCount:
    """How many recipients of a domain were refused more than what is counted already."""

    day: int  # mail/daily.day_of
    domain: Domain
    what: DailyCount  # REFUSED or REFUSED_FOR_NOW
    deliveries: int


@dataclass(frozen=True, slots=True)
class DayCount:
    domain: Domain
    what: DailyCount
    today: int  # deliveries
    all_days: int  # today among them


class PrimariesIntake(Protocol):
    """The receive role's view."""

    def primaries(self) -> dict[Domain, Primary]:
        """By domain; also of domains that are backed up no more."""
        ...

    def count_refused(self, counts: Sequence[RefusedCount]) -> Awaitable[None]: ...


class PrimariesClaims(Protocol):
    """The deliver role's view."""

    def saw_primary(self, site: str, offered: Offered, now_ms: int) -> Awaitable[None]:
        """The site let us in."""
        ...

    def relay_sites(self) -> list[tuple[Domain, str]]:
        """As hinted, of every domain in the lane relay, whether mail waits for it or not."""
        ...


class PrimariesDesk(Protocol):
    """The owner's view."""

    def relay_sites(self) -> list[tuple[Domain, str]]: ...

    def primaries(self) -> dict[Domain, Primary]: ...

    def kept_for(self, cause: str) -> dict[Domain, int]:
        """How many deliveries of each domain are kept for a cause (its word), of those that have some."""
        ...

    def day_counts(self, today: int, days: int) -> list[DayCount]:
        """Of the last so many days, of each domain that is or was backed up; what was never, is left out."""
        ...


class PrimariesKeeping(Protocol):
    """Housekeeping."""

    async def forget_primaries(self, looked_before_ms: int) -> None:
        """Forget those that have not let us in since then, and are not down."""
        ...

    async def forget_days(self, before_day: int) -> None:
        """Forget what was counted before then. In batches."""
        ...
