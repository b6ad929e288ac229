"""For any sequence of changes to readers and issues, the triggers' counts equal a recount."""

import random
from itertools import product

import pytest

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import Claimed, State
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import ISSUE_EDGES, IssueId, IssueState
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.store.newsletter_ports import IssueRefused
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import Lease
from secondpost.store.sqlite.schema import Database
from secondpost.store.subscriber_ports import Imported
from tests.store.place import Change, Place, SqlitePlace, database_of
from tests.store.readers import WEEKLY, Publisher, outcome
from tests.store.recounts import NEWSLETTER, found_by

STEPS = 200


class Weeks:
    """Changes readers and issues at random."""

    def __init__(self, place: Place, store: NewsletterStore, seed: int) -> None:
        self.dice = random.Random(seed)
        self.clock = place.clock
        self.store = store
        self.publisher = Publisher(place, self.store)
        self.leases: list[Lease] = []
        self.claimed: list[tuple[Lease, Claimed]] = []
        self.served: list[tuple[IssueId, SubscriberId]] = []
        self.evidence = 0

    async def step(self) -> str:
        self.clock.ms += self.dice.choice((0, 1, 1000, 400_000))
        action = self.dice.choice(
            (
                *(self.claim, self.deliver, self.deliver, self.come, self.publish, self.publish) * 3,
                *(self.go, self.erase, self.lease, self.give_back, self.stop, self.retry, self.finish),
                *(self.freeze_partly, self.sign_up, self.suppress, self.bounce, self.expire, self.forget),
            )
        )
        try:
            await action()
        except IssueRefused:
            return f"{action.__name__} (refused)"
        return action.__name__

    def address(self) -> str:
        return f"u{self.dice.randrange(60)}@d{self.dice.randrange(3)}.example"

    async def reader(self) -> SubscriberId:
        known = await self.store.readers(WEEKLY, (), None, 100)
        return self.dice.choice(known).id if len(known) > 0 else SubscriberId(0)

    async def issue(self) -> IssueId:
        known = await self.store.issues(WEEKLY, None, 100)
        return self.dice.choice(known).id if len(known) > 0 else IssueId(0)

    async def come(self) -> None:
        lines = [Imported(Mailbox.parse(self.address())) for _ in range(5)]
        state = self.dice.choice((SubscriberState.ACTIVE, SubscriberState.PENDING))
        await self.store.import_batch(WEEKLY, lines, state, self.publisher.consent(), self.clock.ms)

    async def sign_up(self) -> None:
        await self.publisher.sign_up(self.address())
        await self.store.confirm(await self.reader(), self.publisher.consent())

    async def go(self) -> None:
        verb = self.dice.choice(
            (self.store.leave, self.store.suspend, self.store.complain, self.store.remove)
        )
        await verb(await self.reader(), self.clock.ms, "why")

    async def erase(self) -> None:
        await self.store.erase(await self.reader(), self.clock.ms)

    async def suppress(self) -> None:
        mailbox = Mailbox.parse(self.address())
        await self.store.suppress(WEEKLY, [mailbox], Reason.OWNER, self.clock.ms, "")
        if self.dice.random() < 0.7:
            await self.store.unsuppress(WEEKLY, mailbox)

    async def bounce(self) -> None:
        self.evidence += 1
        evidence = QueueId(self.evidence)
        await self.store.leave(await self.reader(), self.clock.ms, "mail", evidence)
        await self.store.leave(await self.reader(), self.clock.ms, "mail", evidence)

    async def publish(self) -> None:
        """Advance the oldest unfinished issue by one step; make a new one if there is none."""
        under_way = await self.store.issues_under_way()
        issue = under_way[0] if len(under_way) > 0 else await self.publisher.digest()
        if issue.state is IssueState.OPEN:
            await self.publisher.freeze(issue.id)
        elif issue.state is IssueState.FROZEN:
            await self.publisher.send(issue.id)
        else:
            await self.store.finish(issue.id, self.clock.ms)

    async def freeze_partly(self) -> None:
        """A freeze that dies, with changes of readers in the middle."""
        issue = await self.publisher.digest()
        leader = await self.store.lead("publish") if self.publisher.leader is None else self.publisher.leader
        assert leader is not None
        await self.store.begin_freeze(issue.id, leader)
        await self.store.freeze_batch(issue.id, leader, 2)
        await self.go()
        await self.erase()
        await self.store.give_back(leader)
        self.publisher.leader = None
        await self.store.sweep_freezing()

    async def lease(self) -> None:
        lease = await self.store.lease(self.dice.choice((Lane.ISSUES, Lane.ISSUES, Lane.OWN)), "unsorted")
        if lease is not None:
            self.leases.append(lease)

    async def give_back(self) -> None:
        if len(self.leases) > 0:
            await self.store.give_back(self.leases.pop(self.dice.randrange(len(self.leases))))

    async def claim(self) -> None:
        if len(self.leases) == 0:
            await self.lease()
        if len(self.leases) > 0:
            lease = self.dice.choice(self.leases)
            rows = await self.store.claim(lease, self.clock.ms, self.dice.randint(1, 6))
            self.claimed += [(lease, row) for row in rows]

    async def deliver(self) -> None:
        if len(self.claimed) == 0:
            return
        lease, row = self.claimed.pop(self.dice.randrange(len(self.claimed)))
        states = [State.DELIVERED, State.DELIVERED, State.WAITING, State.FAILED, State.EXPIRED]
        if row.issue is not None:
            if len(await self.store.commit_marks(lease, [row.id])) == 0:
                return
            states += [State.UNKNOWN, State.CLAIMED]
        state = self.dice.choice(states)
        if state in (State.DELIVERED, State.UNKNOWN) and row.issue is not None and row.subscriber is not None:
            self.served.append((row.issue, row.subscriber))
        if state is not State.CLAIMED:  # otherwise its outcome is never written
            due_ms = self.clock.ms + self.dice.choice((0, 300_000))
            await self.store.settle(lease, [outcome(row, state, self.clock.ms, due_ms=due_ms)])

    async def stop(self) -> None:
        if self.dice.random() < 0.1:
            await self.store.stop(await self.issue(), self.clock.ms, "enough")

    async def finish(self) -> None:
        await self.store.finish(await self.issue(), self.clock.ms)

    async def retry(self) -> None:
        """Retry mail with unknown outcome, once, by the owner's command."""
        issue = await self.issue()
        unknown = {row.subscriber for row in await self.store.deliveries(issue, (State.UNKNOWN,), None, 100)}
        if await self.store.retry_unknown(issue, None, self.clock.ms) > 0:
            self.served = [
                (one, reader) for one, reader in self.served if one != issue or reader not in unknown
            ]

    async def expire(self) -> None:
        for lane, domain in await self.store.waiting_domains():
            before_ms = self.clock.ms - 2_000_000
            await self.store.expire(lane, domain, before_ms, self.clock.ms, State.EXPIRED)

    async def forget(self) -> None:
        await self.store.forget_pending(self.clock.ms - 5_000_000)


@pytest.mark.parametrize("seed", range(100, 108))
async def test_what_is_counted_is_what_is_there(place: SqlitePlace, seed: int) -> None:
    store = place.open_newsletter()
    weeks = Weeks(place, store, seed)
    done = []
    await weeks.come()
    for _ in range(STEPS):
        done.append(await weeks.step())
        assert found_by(NEWSLETTER, database_of(store), place.clock.ms) == {}, f"after {done}"
        assert len(set(weeks.served)) == len(weeks.served), f"somebody was served twice after {done}"
    assert place.failures == []
    assert len(weeks.served) > 0


@pytest.mark.parametrize("seed", range(120, 124))
async def test_weeks_at_random_are_the_same_on_each_engine(place: Place, seed: int) -> None:
    weeks = Weeks(place, place.open_newsletter(), seed)
    await weeks.come()
    for _ in range(STEPS):
        await weeks.step()
    assert len(set(weeks.served)) == len(weeks.served), "a reader was served twice"
    assert place.failures == []


async def test_an_issue_goes_only_where_the_table_of_its_states_leads(place: Place) -> None:
    store = place.open_newsletter()
    await Publisher(place, store).digest()
    pairs = [(source, target) for source, target in product(IssueState, IssueState) if source is not target]
    found = await place.refusals(Database.NEWSLETTER, [change(source, target) for source, target in pairs])
    edges = {(edge.source, edge.target) for edge in ISSUE_EDGES}
    refused = "an issue does not go from this state to that one"
    assert dict(zip(pairs, found, strict=True)) == {pair: "" if pair in edges else refused for pair in pairs}


def change(source: IssueState, target: IssueState) -> Change:
    led = "UPDATE issue SET state ="
    return Change("issue", f"{led} '{source}'", f"{led} '{target}'")


async def test_a_digest_is_frozen_only_with_its_articles(place: Place) -> None:
    store = place.open_newsletter()
    await Publisher(place, store).digest()
    lost = "UPDATE article SET state = 'waiting', issue = NULL, place = NULL WHERE place = 1"
    frozen = Change("issue", lost, "UPDATE issue SET state = 'freezing'")
    assert await place.refusals(Database.NEWSLETTER, [frozen]) == ["the issue does not have its articles"]
