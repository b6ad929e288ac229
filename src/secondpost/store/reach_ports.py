"""Ports for what networks of other countries see of the MX addresses.

ports.py describes reads, writes and their errors.
"""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from secondpost.mail.reach import RawAnswer, ReachContext, ReachCount, ReachSource, ReachView, SourceState

RAW_ANSWERS_MAX = 200
RAW_OCTETS_MAX = 64 * 1024  # of one answer; the rest is cut off


class ReachDesk(Protocol):
    """The owner's view of it."""

    async def reach_views(self) -> list[ReachView]:
        """By address and country."""
        ...

    async def reach_counts(self, since_ms: int) -> list[ReachCount]:
        """Of the rounds since then, in their order."""
        ...

    async def last_reach_counts(self) -> list[ReachCount]:
        """Of the last round."""
        ...

    async def reach_sources(self) -> dict[ReachSource, SourceState]:
        """Those that were ever asked."""
        ...

    async def reach_contexts(self) -> list[ReachContext]: ...

    async def raw_answers(self, limit: int) -> list[RawAnswer]:
        """The latest answers, latest first, without their bodies."""
        ...

    async def raw_answer(self, number: int) -> RawAnswer | None:
        """With its body, as far as it was kept."""
        ...


class ReachKeeping(ReachDesk, Protocol):
    """The deliver role's view of it."""

    def note_view(self, view: ReachView) -> Awaitable[None]:
        """Write a view with its networks in place of the one of that address and country."""
        ...

    def forget_view(self, view: ReachView) -> Awaitable[None]: ...

    def note_counts(self, counts: Sequence[ReachCount]) -> Awaitable[None]: ...

    def forget_counts(self, before_ms: int) -> Awaitable[None]: ...

    def note_source(self, state: SourceState) -> Awaitable[None]: ...

    def note_contexts(
        self, source: ReachSource, country: str, contexts: Sequence[ReachContext]
    ) -> Awaitable[None]:
        """Write what a source says of subjects in a country, in place of all that it said before."""
        ...

    def keep_answer(self, answer: RawAnswer) -> Awaitable[int]:
        """Keep an answer under the next number, which is returned, and forget the oldest."""
        ...
