"""Bugs planted on purpose, to prove that the simulation finds them.

Each is a wiring that gives a role a configuration or a store with one fault.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from msgspec import structs

from secondpost.config.records import AnyRecipient, Backup
from secondpost.mail.address import NULL_PATH, Domain, Mailbox, ReversePath
from secondpost.mail.content import InTable
from secondpost.mail.delivery import Claimed, DeliveryId, KeptFor, State
from secondpost.mail.envelope import Arrival, Envelope, Lane, Peer
from secondpost.mail.queue_id import WORKERS_MAX, QueueId, QueueIds
from secondpost.roles.parts import Parts, World
from secondpost.store.ports import Lease, MailStore, Settlement
from simulation.evidence import OUR_RECEIVED
from simulation.planted_news import PLANTED_NEWS, Planted
from simulation.scenario import OUR_NAME, VICTIM_DOMAIN
from simulation.service import Wiring

ONE_IN = 20


class WrongStore:
    """A store with one fault; everything else is passed through to the real one."""

    def __init__(self, world: World, store: MailStore) -> None:
        self._world = world
        self._store = store

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)


class LosesSome(WrongStore):
    """Every twentieth message is acknowledged but not written."""

    accepted = 0

    def accept(self, arrival: Arrival, kept_for: KeptFor | None = None) -> Awaitable[None]:
        self.accepted += 1
        if self.accepted % ONE_IN == 0:
            return _done()
        return self._store.accept(arrival, kept_for)


class AcknowledgesEarly(WrongStore):
    """The 250 goes out before the commit: mail is lost only if a crash falls between."""

    def accept(self, arrival: Arrival, kept_for: KeptFor | None = None) -> Awaitable[None]:
        asyncio.ensure_future(self._store.accept(arrival, kept_for)).add_done_callback(_heard)
        return _done()


class SendsTwice(WrongStore):
    """Every twentieth delivered outcome is not recorded, so the mail is sent again."""

    settled = 0

    def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> Awaitable[int]:
        wrong = []
        for settlement in settlements:
            self.settled += 1
            forget = settlement.state is State.DELIVERED and self.settled % ONE_IN == 0
            wrong.append(
                structs.replace(settlement, state=State.WAITING, due_ms=settlement.at_ms)
                if forget
                else settlement
            )
        return self._store.settle(lease, wrong)


class Bounces(WrongStore):
    """Mail that the primary refuses is reported to the sender."""

    def __init__(self, world: World, store: MailStore) -> None:
        super().__init__(world, store)
        self._senders: dict[DeliveryId, ReversePath] = {}
        self._ids = QueueIds(WORKERS_MAX - 1)

    async def claim(self, lease: Lease, now_ms: int, limit: int) -> list[Claimed]:
        claimed = await self._store.claim(lease, now_ms, limit)
        self._senders.update((row.id, row.sender) for row in claimed)
        return claimed

    async def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> int:
        for settlement in settlements:
            sender = self._senders.get(settlement.id)
            if settlement.state is State.KEPT and isinstance(sender, Mailbox):
                await self._store.accept(self._report(sender, settlement.at_ms))
        return await self._store.settle(lease, settlements)

    def _report(self, to: Mailbox, now_ms: int) -> Arrival:
        return Arrival(
            self._ids.next(now_ms),
            Lane.OWN,
            Envelope(NULL_PATH, (to,)),
            Peer("127.0.0.1", OUR_NAME, "SMTP"),
            now_ms,
            InTable(b"Subject: not delivered\r\n\r\nSorry.\r\n"),
        )


class Trims(WrongStore):
    """Trailing spaces are removed from the content, which breaks signatures."""

    async def contents(self, claimed: Sequence[Claimed]) -> dict[QueueId, bytes]:
        found = await self._store.contents(claimed)
        return {id: content.replace(b" \r\n", b"\r\n") for id, content in found.items()}


class ForgetsPrefix(WrongStore):
    """Messages are sent without the Received field that we added."""

    async def contents(self, claimed: Sequence[Claimed]) -> dict[QueueId, bytes]:
        found = await self._store.contents(claimed)
        return {id: OUR_RECEIVED.sub(b"", content, count=1) for id, content in found.items()}


class GivesUp(WrongStore):
    """Every fifth deferral is recorded as a refusal."""

    deferred = 0

    def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> Awaitable[int]:
        wrong = []
        for settlement in settlements:
            self.deferred += settlement.state is State.WAITING and settlement.attempted
            give_up = settlement.state is State.WAITING and settlement.attempted and self.deferred % 5 == 0
            wrong.append(
                structs.replace(settlement, state=State.KEPT, kept_for=KeptFor.REFUSED)
                if give_up
                else settlement
            )
        return self._store.settle(lease, wrong)


class LastFirst(WrongStore):
    """The mail that arrived last is tried first."""

    async def claim(self, lease: Lease, now_ms: int, limit: int) -> list[Claimed]:
        return (await self._store.claim(lease, now_ms, limit))[::-1]


def _done() -> Awaitable[None]:
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    done.set_result(None)
    return done


def _heard(task: "asyncio.Future[None]") -> None:
    if not task.cancelled():
        task.exception()


def _with_store(guilty: str, wrong: Callable[[World, MailStore], WrongStore]) -> Wiring:
    def wiring(role: str, parts: Parts) -> Parts:
        if role != guilty or parts.mail is None:
            return parts
        return replace(parts, mail=cast(MailStore, wrong(parts.world, parts.mail)))

    return wiring


def _open_relay(role: str, parts: Parts) -> Parts:
    """Receive takes mail for a domain that is not ours: an open relay."""
    if role != "receive":
        return parts
    victim = Backup(Domain(VICTIM_DOMAIN), recipients=(AnyRecipient(),))
    config = parts.config
    return replace(parts, config=replace(config, backups=(*config.backups, victim)))


def _sleepy_probe(role: str, parts: Parts) -> Parts:
    """A site that is down is probed only every ten minutes."""
    config = parts.config
    return replace(parts, config=replace(config, deliver=replace(config.deliver, probe_ms=600_000)))


PLANTED: Mapping[str, Planted] = {
    "lost-acknowledgement": Planted(_with_store("receive", LosesSome), "nothing_acknowledged_is_lost"),
    "early-acknowledgement": Planted(
        _with_store("receive", AcknowledgesEarly), "nothing_acknowledged_is_lost", seed=31
    ),
    "double-send": Planted(_with_store("deliver", SendsTwice), "copies_have_a_reason"),
    "backscatter": Planted(_with_store("deliver", Bounces), "nobody_gets_backscatter"),
    "open-relay": Planted(_open_relay, "nothing_is_relayed_elsewhere"),
    "gives-up": Planted(_with_store("deliver", GivesUp), "nothing_is_kept_without_a_refusal", seed=2),
    "last-first": Planted(
        _with_store("deliver", LastFirst), "held_mail_drains_when_the_primary_is_back", seed=6
    ),
    "sleepy-probe": Planted(_sleepy_probe, "held_mail_drains_when_the_primary_is_back", seed=1),
    "changed-content": Planted(_with_store("deliver", Trims), "content_arrives_unchanged"),
    "forgotten-prefix": Planted(_with_store("deliver", ForgetsPrefix), "content_arrives_unchanged"),
    **PLANTED_NEWS,
}
