"""Port for renaming and retiring newsletters.

Every row of a newsletter has its name. A rename moves the rows in batches under the lead of one
process, and continues after an interruption. Until it is finished, no issue is made or frozen under
either name.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from secondpost.store.ports import Lease

RENAMED_ROWS_MAX = 200  # per batch: some milliseconds of the write lock


class RenameRefused(Exception):
    """The newsletter cannot have that name. The text tells the owner what to do."""


@dataclass(frozen=True, slots=True)
class KnownNewsletter:
    """A newsletter that has readers or issues."""

    name: str
    pending: int  # readers who have not confirmed yet
    readers: int  # in any state
    issues: int

    @property
    def is_used(self) -> bool:
        """It has readers or issues of its own, so no other newsletter can be renamed to it."""
        return self.readers - self.pending + self.issues > 0


@dataclass(frozen=True, slots=True)
class FormerName:
    """A newsletter's former name; `now` is the present one, `is_done` once all rows are moved."""

    name: str
    now: str
    is_done: bool


class NewsletterNames(Protocol):
    """Names that newsletters have or had."""

    async def left_behind(self, named: Sequence[str]) -> list[KnownNewsletter]:
        """Newsletters with readers or issues that are neither in `named` nor retired, by name."""
        ...

    async def known_newsletters(self) -> list[str]:
        """The names of all newsletters with readers, suppressed addresses or issues."""
        ...

    async def former_names(self) -> list[FormerName]: ...

    async def now_named(self, former: str) -> str | None:
        """The present name of a newsletter that once had this one, or None."""
        ...


class Naming(NewsletterNames, Protocol):
    """Names of newsletters, and their change."""

    def retire(self, name: str, at_ms: int) -> Awaitable[bool]:
        """Record that the owner gave a newsletter up; False if that was recorded before."""
        ...

    def begin_rename(self, old: str, new: str, at_ms: int, leader: Lease) -> Awaitable[None]:
        """Begin or continue renaming `old` to `new`.

        Raises RenameRefused if an issue of either is under way, another rename of either is not
        finished, or `new` has issues, or readers that are not pending.
        """
        ...

    def rename_batch(self, old: str, leader: Lease, rows_max: int = RENAMED_ROWS_MAX) -> Awaitable[int]:
        """Move up to `rows_max` rows; returns their number, 0 once the rename is finished."""
        ...
