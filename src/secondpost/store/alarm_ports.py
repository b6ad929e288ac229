"""Ports for alarms: what stands, and what the owner was sent about it.

ports.py describes reads, writes and their errors.
"""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from secondpost.mail.address import Domain
from secondpost.mail.envelope import Arrival
from secondpost.mail.owner_notice import AlarmRecord, Batch, Notice, OwnerPost, SentNotice


class AlarmsDesk(Protocol):
    """The owner's view of alarms."""

    async def alarms(self) -> list[AlarmRecord]:
        """All alarms that stand or lately ended, in the order in which they were noted."""
        ...

    def send_own(self, arrival: Arrival) -> Awaitable[None]:
        """Store a mail of our own, such as a test of the way to the owner. It is part of no notice."""
        ...

    def add_posts(self, posts: Sequence[OwnerPost]) -> Awaitable[None]: ...


class AlarmsKeeping(AlarmsDesk, Protocol):
    """The deliver role's view of alarms."""

    def note_alarms(
        self, begun: Sequence[AlarmRecord], changed: Sequence[AlarmRecord], gone: Sequence[AlarmRecord]
    ) -> Awaitable[None]:
        """Write alarms that began, those whose detail, times or end changed, and forget others.

        One that stands already is not added again; marks are untouched.
        """
        ...

    def give_notice(
        self,
        batch: Batch,
        notices: Sequence[Notice],
        roles: frozenset[str],
        at_ms: int,
        *,
        mail: Arrival | None = None,
        posts: Sequence[OwnerPost] = (),
    ) -> Awaitable[bool]:
        """Mark what the notices say as sent, and store the mail, or else the posts, in one
        transaction. False, and nothing is stored, if any of it was sent meanwhile.
        """
        ...

    async def sent_notices(self) -> list[SentNotice]: ...

    def forget_notices(self, before_ms: int) -> Awaitable[None]:
        """Forget notices sent, and posts made, before then."""
        ...

    async def post_due(self, now_ms: int) -> OwnerPost | None:
        """The oldest post that is due."""
        ...

    def post_again(self, post: OwnerPost, due_ms: int) -> Awaitable[None]:
        """A post was not accepted: try it again then."""
        ...

    def drop_post(self, post: OwnerPost) -> Awaitable[None]:
        """A post was accepted, or is given up."""
        ...

    async def report_slot(self, name: str) -> int | None:
        """The slot of the last report of this name, in milliseconds; None if there was none."""
        ...

    def give_report(
        self, name: str, slot_ms: int, before_ms: int | None, mail: Arrival | None
    ) -> Awaitable[bool]:
        """Record a report's slot and store its mail, in one transaction. False, and nothing is
        stored, unless the last slot is `before_ms`.
        """
        ...

    async def domains_down(self) -> frozenset[Domain]:
        """Domains of our own mail whose site is down."""
        ...
