"""What may be expected of the store of the newsletter when a newsletter gets another name, or is given up.

All that belongs to a newsletter bears its name. A rename moves it in batches, under the lead of one process;
what is cut short goes on where it was. Until it is done no issue is made or frozen under either name.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from secondpost.store.ports import Lease

RENAMED_ROWS_MAX = 200  # by one batch: some milliseconds of the write lock


class RenameRefused(Exception):
    """It may not have that name. The text is for the owner, with what to do."""


@dataclass(frozen=True, slots=True)
class KnownNewsletter:
    """One that has readers or issues."""

    name: str
    active: int
    readers: int  # in whatever state
    issues: int


@dataclass(frozen=True, slots=True)
class FormerName:
    """`name` is `now` another one; all that belonged to it has been moved, if it is done."""

    name: str
    now: str
    is_done: bool


class Naming(Protocol):
    async def left_behind(self, named: Sequence[str]) -> list[KnownNewsletter]:
        """Those that have readers or issues, but are neither among the named nor retired; by name."""
        ...

    async def known_newsletters(self) -> list[str]:
        """The names of all that have readers, suppressed addresses or issues."""
        ...

    def retire(self, name: str, at_ms: int) -> Awaitable[bool]:
        """The owner has given it up. False when that was so before."""
        ...

    async def former_names(self) -> list[FormerName]: ...

    async def now_named(self, former: str) -> str | None:
        """What a newsletter that had this name is called now; None when none had it."""
        ...

    def begin_rename(self, old: str, new: str, at_ms: int, leader: Lease) -> Awaitable[None]:
        """From now on `old` leads to `new`; what was cut short goes on. Raises RenameRefused: an issue of one
        of them is under way, or `new` has readers or issues of its own.
        """
        ...

    def rename_batch(self, old: str, leader: Lease, rows_max: int = RENAMED_ROWS_MAX) -> Awaitable[int]:
        """How many rows were moved, `rows_max` at most; 0 when nothing is left, and the rename is done."""
        ...
