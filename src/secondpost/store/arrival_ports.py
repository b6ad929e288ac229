"""Ports for the watch over arrivals: where mail comes from, while the primary is up or down.

They are parts of the ports in ports.py, which describes reads, writes and their errors.
"""

from collections.abc import Awaitable, Mapping, Sequence
from typing import Protocol

from secondpost.mail.address import Domain
from secondpost.mail.arrivals import BlockedNetwork, CameFrom, HourCount, NetworkOrigin, PrimaryHour


class ArrivalsIntake(Protocol):
    """The receive role's view of arrivals."""

    def note_arrivals(self, arrivals: Sequence[CameFrom]) -> Awaitable[None]:
        """Count what came. Mail with an author is counted once it is known what became of it.

        The rows of an hour are bounded, whatever came.
        """
        ...


class ArrivalsDesk(Protocol):
    """The owner's view of arrivals."""

    async def hour_counts(self, since_ms: int) -> list[HourCount]:
        """Counts of the hours that began at or after `since_ms`, in order of time."""
        ...

    async def primary_hours(self, since_ms: int) -> list[PrimaryHour]: ...

    async def origins(self) -> dict[str, NetworkOrigin]:
        """What was found of networks, by network."""
        ...

    async def blocked_networks(self) -> list[BlockedNetwork]:
        """Blocks that stand, and those that ended; in order of `since_ms`."""
        ...


class ArrivalsKeeping(ArrivalsDesk, Protocol):
    """The deliver role's view of arrivals."""

    async def settle_arrivals(self) -> int:
        """Count the mail of which it is known by now what became of it, and remember its author if
        the primary took it. In batches; returns the number of messages.
        """
        ...

    def note_primaries(self, hours: Sequence[PrimaryHour]) -> Awaitable[None]:
        """Record whether primaries are up; an hour in which one was down once stays so."""
        ...

    async def networks_unknown(self, looked_before_ms: int, limit: int) -> list[str]:
        """Networks with counts whose origin was never looked up, or not since then; good ones first."""
        ...

    def learn_origins(self, origins: Mapping[str, NetworkOrigin], at_ms: int) -> Awaitable[None]: ...

    def keep_blocked(self, blocks: Sequence[BlockedNetwork]) -> Awaitable[None]:
        """Add blocks, or change those of the same domain, origin and begin."""
        ...

    def forget_arrivals(self, before_ms: int) -> Awaitable[int]:
        """Delete counts, hours, origins, authors and ended blocks older than that, and authors beyond
        the bound; one batch, returns the number of rows.
        """
        ...

    async def known_authors(self, domain: Domain) -> int:
        """Number of authors' domains of which the domain's primary took authenticated mail."""
        ...
