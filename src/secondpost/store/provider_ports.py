"""Ports for mail to providers (mail/provider), in the newsletter's store: pauses, and counts by day.

A pause holds back issues alone: rows of a paused provider are not claimed, except its trial mails.
"""

from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class PauseCause(StrEnum):
    BREAKER = "breaker"  # it refuses us for what we are: a trial mail an hour, ends by itself
    BOUNCES = "bounces"  # too many readers would be suspended at once: waits for the owner
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class ProviderPause:
    provider: str  # key
    cause: PauseCause
    since_ms: int
    detail: str  # why, for the owner
    trial_ms: int | None = None  # when the next trial mail may go; None: none goes


class ProviderPauses(Protocol):
    async def provider_pauses(self) -> list[ProviderPause]:
        """By provider and cause; a provider may be paused for several causes at once."""
        ...

    def pause_provider(self, pause: ProviderPause) -> Awaitable[bool]:
        """Begin a pause, or update `detail` and `trial_ms` of one that stands; whether it began."""
        ...

    def resume_provider(self, provider: str, cause: PauseCause) -> Awaitable[bool]:
        """End a pause; False if there was none."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderDay:
    """What became of mails of issues to a provider on a UTC day. A mail counts once per attempt."""

    provider: str  # key of its profile; mail/provider.OTHERS: all without one together
    day: int  # since 1970-01-01
    delivered: int = 0
    deferred: int = 0
    failed: int = 0  # refused for good, or expired
    unknown: int = 0
    sender_fault: int = 0  # of all these: refused for what we are

    @property
    def attempts(self) -> int:
        return self.delivered + self.deferred + self.failed + self.unknown


class ProviderDays(Protocol):
    async def provider_days(self, since_day: int) -> list[ProviderDay]:
        """By provider and day, beginning with `since_day`."""
        ...

    def forget_provider_days(self, before_day: int) -> Awaitable[int]:
        """Delete the counts of days before then; returns their number."""
        ...


class ProviderComplaints(Protocol):
    async def complaints_by_provider(self, since_ms: int) -> Mapping[str, int]:
        """Readers who complained since then, by provider as counted by day (mail/provider.counted_as). Reads
        all readers.
        """
        ...


class Providers(ProviderPauses, ProviderDays, Protocol):
    async def begin_days_anew(self, providers: Collection[str]) -> None:
        """Let the days that mail to these paused providers may wait begin at its next attempt. In
        batches.
        """
        ...
