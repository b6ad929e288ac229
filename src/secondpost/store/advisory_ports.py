"""Ports for advisories: those about what runs here, and how asking for them went.

ports.py describes reads, writes and their errors.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

RECORDS_AT_ONCE = 50  # of some kilobytes each


@dataclass(frozen=True, slots=True)
class KeptAdvisory:
    id: str
    record: str  # as protocols/osv writes it
    since_ms: int = 0  # when the service first answered with it


@dataclass(frozen=True, slots=True)
class AdvisoryLook:
    """How asking went."""

    tried_ms: int | None = None  # when the service was last asked; None: never
    good_ms: int | None = None  # when it last answered
    failing_ms: int | None = None  # since when it does not; None: it does
    why: str = ""  # it does not


class AdvisoriesDesk(Protocol):
    async def advisories(self) -> list[KeptAdvisory]:
        """Those of the last good answer, by their identifiers."""
        ...

    async def advisory_look(self) -> AdvisoryLook: ...


class AdvisoriesKeeping(AdvisoriesDesk, Protocol):
    """The deliver role's view: an answer is written batch by batch, and noted as good last."""

    def keep_advisories(self, chosen: Sequence[KeptAdvisory], now_ms: int) -> Awaitable[None]:
        """At most RECORDS_AT_ONCE; one that is kept already stays as old as it is."""
        ...

    def note_advisories(self, ids: Sequence[str], now_ms: int) -> Awaitable[None]:
        """The service answered with these: all others are forgotten."""
        ...

    def note_no_advisories(self, why: str, now_ms: int) -> Awaitable[None]:
        """The service did not answer: what is kept stays."""
        ...
