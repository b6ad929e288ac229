"""Planted bugs of the newsletter; `planted` has those of the mail."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from msgspec import structs

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.issue import IssueId
from secondpost.mail.issue_content import Hole, IssueContent
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, SubscriberId
from secondpost.roles.parts import Parts
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import Lease, Settlement, Swept
from secondpost.store.subscriber_ports import SignedUp, SignUpLimits
from simulation.service import Wiring

HOUR = 3600.0


class WrongReaders:
    """A newsletter store with one fault; everything else is passed through to the real one."""

    def __init__(self, store: NewsletterStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


class AsksAgain(WrongReaders):
    """A mail is sent again if its final dot got no reply."""

    async def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> int:
        wrong = [
            structs.replace(one, state=State.WAITING, due_ms=one.at_ms) if one.state is State.UNKNOWN else one
            for one in settlements
        ]
        return await self._store.settle(lease, wrong)


class SweepsBack(WrongReaders):
    """After a crash, mails whose outcome is unknown are sent again, as relayed mail would be."""

    async def sweep(self) -> Swept:
        swept = await self._store.sweep()
        if len(swept.unknown) > 0:
            for issue in await self._store.issues_under_way():
                await self._store.retry_unknown(issue.id, None, 0)
        return swept


class Hopes(WrongReaders):
    """A mail counts as delivered although its final dot got no reply."""

    async def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> int:
        wrong = [
            structs.replace(one, state=State.DELIVERED) if one.state is State.UNKNOWN else one
            for one in settlements
        ]
        return await self._store.settle(lease, wrong)


class Hollows(WrongReaders):
    """The articles vanish from the issue after its last check."""

    async def issue_content(self, issue: IssueId) -> bytes:
        content = IssueContent.decode(await self._store.issue_content(issue))
        pieces = list(content.pieces)
        for place, placed in enumerate(content.holes):
            if placed.hole is Hole.VIEW_URL and not placed.is_html:
                pieces[place + 1] = "\r\n-- \r\nUnsubscribe:\r\n"
        return replace(content, pieces=tuple(pieces)).encode()


class LeavesLate(WrongReaders):
    """A reader who leaves is confirmed at once but gets mail for another hour."""

    def __init__(self, store: NewsletterStore) -> None:
        super().__init__(store)
        self._late: list[asyncio.Future[None]] = []

    async def leave(self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None) -> bool:
        async def late() -> None:
            await asyncio.sleep(HOUR)
            await self._store.leave(id, at_ms, how, evidence)

        self._late.append(asyncio.ensure_future(late()))
        return True


class ForgetsLeaves(WrongReaders):
    """Every third unsubscribe is answered but not written."""

    left = 0

    async def leave(self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None) -> bool:
        self.left += 1
        return self.left % 3 == 0 or await self._store.leave(id, at_ms, how, evidence)


class AsksNobody(WrongReaders):
    """A signed-up reader counts as confirmed without an answer to the confirmation mail."""

    async def sign_up(
        self,
        newsletter: str,
        mailbox: Mailbox,
        consent: Consent,
        message: QueueId,
        limits: SignUpLimits,
        content: bytes = b"",
    ) -> SignedUp:
        outcome = await self._store.sign_up(newsletter, mailbox, consent, message, limits, content)
        reader = await self._store.find(newsletter, mailbox)
        if reader is not None:
            await self._store.confirm(reader.id, consent)
        return outcome


def _with_readers(guilty: str, wrong: Callable[[NewsletterStore], WrongReaders]) -> Wiring:
    def wiring(role: str, parts: Parts) -> Parts:
        if role != guilty or parts.readers is None:
            return parts
        return replace(parts, readers=cast(NewsletterStore, wrong(parts.readers)))

    return wiring


def _something_is_enough(role: str, parts: Parts) -> Parts:
    """One article is enough for an issue, whatever the configured minimum.

    An old bug: "there are articles" was taken for "there are enough". All checks, from the draft to
    the finished mail, get the wrong minimum.
    """
    if role != "publish":
        return parts
    newsletters = tuple(replace(newsletter, min_articles=1) for newsletter in parts.config.newsletters)
    return replace(parts, config=replace(parts.config, newsletters=newsletters))


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug and the invariant that must find it. Any day may find it; `seed` did last time."""

    wiring: Wiring
    found_by: str
    seed: int = 0


PLANTED_NEWS: Mapping[str, Planted] = {
    "issue-twice": Planted(_with_readers("deliver", AsksAgain), "nobody_gets_an_issue_twice", seed=6),
    "issue-twice-after-crash": Planted(_with_readers("deliver", SweepsBack), "nobody_gets_an_issue_twice"),
    "issue-hoped-for": Planted(_with_readers("deliver", Hopes), "what_is_said_of_a_delivery_is_true", seed=3),
    "empty-issue": Planted(_something_is_enough, "no_issue_is_empty", seed=3),
    "hollow-issue": Planted(_with_readers("deliver", Hollows), "no_issue_is_empty", seed=1),
    "leave-too-late": Planted(_with_readers("web", LeavesLate), "only_who_wants_it_gets_it", seed=2),
    "leave-forgotten": Planted(_with_readers("web", ForgetsLeaves), "who_left_has_left", seed=1),
    "no-yes-needed": Planted(_with_readers("web", AsksNobody), "only_who_wants_it_gets_it", seed=1),
}
