"""For any sequence of operations, the values kept by triggers equal a recount."""

import random

import pytest
from msgspec import structs

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId, KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause
from secondpost.store.owner_ports import Selection
from secondpost.store.ports import Lease, Settlement
from tests.store.letters import Letters
from tests.store.place import Place, SqlitePlace, Store, database_of
from tests.store.recounts import MAIL, found_by

STEPS = 120
LANES = (Lane.RELAY, Lane.UNVERIFIED, Lane.OWN)
DOMAINS = [f"d{n}.example" for n in range(4)]
SITES = ["unsorted", "mx1.example:25", "mx2.example:25"]


class Days:
    """Operates on a store at random."""

    def __init__(self, place: Place, store: Store, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = place.clock
        self.store = store
        self.letters = Letters(place, self.store)
        self.leases: list[Lease] = []
        self.claimed: list[tuple[Lease, Claimed]] = []

    async def step(self) -> str:
        self.clock.ms += self.dice.choice((0, 1, 1000, 400_000))
        action = self.dice.choice(
            (
                *(self.send, self.claim, self.settle) * 2,
                *(self.lease, self.give_back, self.hint, self.pause, self.down, self.up),
                *(self.move, self.redirect, self.expire, self.prune, self.drop_refused),
            )
        )
        await action()
        return action.__name__

    def domain(self) -> Domain:
        return Domain(self.dice.choice(DOMAINS))

    async def send(self) -> None:
        recipients = [f"u{n}@{self.dice.choice(DOMAINS)}" for n in range(self.dice.randint(1, 5))]
        lane = self.dice.choice((Lane.RELAY, Lane.OWN))
        arrival = self.letters.arrival(*recipients, lane=lane)
        if lane is Lane.RELAY:
            unverified = [one for one in arrival.envelope.recipients if self.dice.random() < 0.3]
            arrival = structs.replace(arrival, unverified=frozenset(unverified))
        await self.store.accept(arrival, self.dice.choice((None, None, None, KeptFor.QUARANTINE)))

    async def lease(self) -> None:
        lease = await self.store.lease(self.dice.choice(LANES), self.dice.choice(SITES))
        if lease is not None:
            self.leases.append(lease)

    async def claim(self) -> None:
        if len(self.leases) > 0:
            lease = self.dice.choice(self.leases)
            rows = await self.store.claim(lease, self.clock.ms, self.dice.randint(1, 6))
            self.claimed += [(lease, row) for row in rows]

    async def settle(self) -> None:
        if len(self.claimed) == 0:
            return
        lease, row = self.claimed.pop(self.dice.randrange(len(self.claimed)))
        state = self.dice.choice((State.DELIVERED, State.DELIVERED, State.WAITING, State.KEPT, State.FAILED))
        await self.store.settle(
            lease,
            [
                Settlement(
                    row.id,
                    state,
                    self.clock.ms,
                    due_ms=self.clock.ms + self.dice.choice((0, 300_000)),
                    kept_for=KeptFor.REFUSED if state is State.KEPT else None,
                    attempted=self.dice.random() < 0.8,
                    cause=self.dice.choice(list(Cause)).word,
                )
            ],
        )

    async def give_back(self) -> None:
        if len(self.leases) > 0:
            await self.store.give_back(self.leases.pop(self.dice.randrange(len(self.leases))))

    async def hint(self) -> None:
        await self.store.hint_site(self.dice.choice(LANES), self.domain(), self.dice.choice(SITES))

    async def pause(self) -> None:
        until = self.dice.choice((0, self.clock.ms + 500_000))
        await self.store.pause_domain(self.dice.choice(LANES), self.domain(), until)

    async def down(self) -> None:
        await self.store.site_down(self.dice.choice(SITES), "connect", "", self.clock.ms, self.clock.ms)

    async def up(self) -> None:
        await self.store.site_up(self.dice.choice(SITES), self.clock.ms)

    async def move(self) -> None:
        came_from, to = self.dice.choice(
            (
                ((State.WAITING,), State.HELD),
                ((State.HELD, State.KEPT), State.WAITING),
                ((State.HELD, State.KEPT), State.DROPPED),
            )
        )
        selection = Selection(domain=self.domain())
        await self.store.move(selection, came_from, to, self.clock.ms, "moved", "")

    async def redirect(self) -> None:
        page = await self.store.listed(Selection(), None, 50)
        if len(page) > 0:
            chosen: DeliveryId = self.dice.choice(page).id
            to = Mailbox("me", self.domain())
            await self.store.redirect(Selection(deliveries=(chosen,)), to, self.clock.ms, "")

    async def expire(self) -> None:
        to = self.dice.choice((State.KEPT, State.EXPIRED))
        before = self.clock.ms - 2_000_000
        await self.store.expire(self.dice.choice(LANES), self.domain(), before, self.clock.ms, to)

    async def drop_refused(self) -> None:
        before = self.clock.ms - self.dice.choice((0, 1_000_000))
        octets_left = self.dice.choice((None, 0, 30, 60))
        await self.store.drop_refused(self.domain(), before, octets_left, self.clock.ms, "")

    async def prune(self) -> None:
        await self.store.prune(self.clock.ms - 3_000_000)


@pytest.mark.parametrize("seed", range(6))
async def test_what_is_counted_is_what_is_there(place: SqlitePlace, seed: int) -> None:
    store = place.open()
    days = Days(place, store, seed)
    done = []
    for _ in range(STEPS):
        done.append(await days.step())
        assert found_by(MAIL, database_of(store), place.clock.ms) == {}, f"after {done}"
    assert place.failures == []


@pytest.mark.parametrize("seed", range(20, 24))
async def test_days_at_random_are_the_same_on_each_engine(place: Place, seed: int) -> None:
    days = Days(place, place.open(), seed)
    for _ in range(STEPS):
        await days.step()
    assert place.failures == []
