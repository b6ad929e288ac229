"""Port for pauses of mail to providers (mail/provider), in the newsletter's store.

A pause holds back issues alone: rows of a paused provider are not claimed, except its trial mails.
"""

from collections.abc import Awaitable
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
