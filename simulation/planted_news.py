"""Bugs of the newsletter planted on purpose, as those of the mail are in `planted`."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.issue import IssueId
from secondpost.mail.issue_content import Hole, IssueContent
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, SubscriberId
from secondpost.roles.parts import Parts
from secondpost.store.ports import Lease, Settlement, Swept
from secondpost.store.subscriber_ports import NewsletterStore, SignedUp, SignUpLimits
from simulation.service import Wiring

HOUR = 3600.0


class WrongReaders:
    """A store of readers in which one thing is wrong; all else is the real one's."""

    def __init__(self, store: NewsletterStore) -> None:
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


class AsksAgain(WrongReaders):
    """Where no answer came to the dot, the mail is sent once more."""

    async def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> int:
        wrong = [
            replace(one, state=State.WAITING, due_ms=one.at_ms) if one.state is State.UNKNOWN else one
            for one in settlements
        ]
        return await self._store.settle(lease, wrong)


class SweepsBack(WrongReaders):
    """What a dead process was committing waits again, as relayed mail would."""

    async def sweep(self) -> Swept:
        swept = await self._store.sweep()
        if len(swept.unknown) > 0:
            for issue in await self._store.issues_under_way():
                await self._store.retry_unknown(issue.id, None, 0)
        return swept


class Hopes(WrongReaders):
    """What was sent counts as delivered, whatever was answered."""

    async def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> int:
        wrong = [
            replace(one, state=State.DELIVERED) if one.state is State.UNKNOWN else one for one in settlements
        ]
        return await self._store.settle(lease, wrong)


class Hollows(WrongReaders):
    """The articles fall out of the issue behind the last look at it."""

    async def issue_content(self, issue: IssueId) -> bytes:
        content = IssueContent.decode(await self._store.issue_content(issue))
        pieces = list(content.pieces)
        for place, placed in enumerate(content.holes):
            if placed.hole is Hole.VIEW_URL and not placed.is_html:
                pieces[place + 1] = "\r\n-- \r\nUnsubscribe:\r\n"
        return replace(content, pieces=tuple(pieces)).encode()


class LeavesLate(WrongReaders):
    """Who leaves is told so, and gets mail for another hour."""

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
    """One leave in three is answered, and never written."""

    left = 0

    async def leave(self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None) -> bool:
        self.left += 1
        return self.left % 3 == 0 or await self._store.leave(id, at_ms, how, evidence)


class AsksNobody(WrongReaders):
    """A form is enough: nobody has to confirm."""

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
    """The slip of old: that there are articles is taken for that there are enough. Every check on the way,
    from the draft over the schema to the finished mail, is told the wrong minimum.
    """
    if role != "publish":
        return parts
    newsletters = tuple(replace(newsletter, min_articles=1) for newsletter in parts.config.newsletters)
    return replace(parts, config=replace(parts.config, newsletters=newsletters))


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug, and the invariant that must find it. Any day may do so: `seed` did the last time."""

    wiring: Wiring
    found_by: str
    seed: int = 0


PLANTED_NEWS: Mapping[str, Planted] = {
    "issue-twice": Planted(_with_readers("deliver", AsksAgain), "nobody_gets_an_issue_twice", seed=6),
    "issue-twice-after-crash": Planted(_with_readers("deliver", SweepsBack), "nobody_gets_an_issue_twice"),
    "issue-hoped-for": Planted(_with_readers("deliver", Hopes), "what_is_said_of_a_delivery_is_true", seed=3),
    "empty-issue": Planted(_something_is_enough, "no_issue_is_empty"),
    "hollow-issue": Planted(_with_readers("deliver", Hollows), "no_issue_is_empty"),
    "leave-too-late": Planted(_with_readers("web", LeavesLate), "only_who_wants_it_gets_it", seed=2),
    "leave-forgotten": Planted(_with_readers("web", ForgetsLeaves), "who_left_has_left", seed=1),
    "no-yes-needed": Planted(_with_readers("web", AsksNobody), "only_who_wants_it_gets_it", seed=1),
}
