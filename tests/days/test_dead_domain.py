"""A domain whose server is away for good, and days on which our own network is: who is suspended, and when.

The role deliver expires what no server answered within three days; the expiry is written here as it does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from secondpost.bounce.judge import judged
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.delivery import State
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import CAUSES
from secondpost.mail.subscriber import SubscriberState
from secondpost.maillog import MailLog
from secondpost.spool.schedule import ISSUE_WAITS_MS, stored_reply
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import Settlement
from secondpost.subscribers.weighing import QUIET_MS, BounceWeighing
from tests.alarms import unlogged_alarms
from tests.store.place import SqlitePlace, there
from tests.store.readers import WEEKLY, Publisher

LIVING, DEAD = "living.example", "dead.example"
READERS = 300  # at LIVING
SITES = {LIVING: "mx.living.example", DEAD: "mx.dead.example"}
NO_ANSWER = "mx.dead.example: connection timed out"


def kind_of(cause: str, reply: str) -> BounceKind:
    return judged(CAUSES[cause], stored_reply(reply))


class Weeks:
    """A weekly issue to READERS, and to `dead` readers at a domain whose server is away."""

    def __init__(self, place: SqlitePlace, store: NewsletterStore, dead: int) -> None:
        self.place = place
        self.store = store
        self.dead = dead
        self.publisher = Publisher(place, store)
        self.weighing = BounceWeighing(store, place.clock, MailLog(lambda line: None), unlogged_alarms())

    async def open(self) -> None:
        for domain, many in ((LIVING, READERS), (DEAD, self.dead)):
            await self.publisher.readers(*(f"u{n}@{domain}" for n in range(many)))
            await self.store.hint_site(Lane.ISSUES, Domain(domain), SITES[domain])

    async def issue(self, down: dict[str, int]) -> None:
        """Send an issue; `down`: domains, and for how many days from its first mail they are away."""
        place, store = self.place, self.store
        place.clock.ms += 7 * DAY_MS
        issue = await self.publisher.freeze((await self.publisher.digest()).id, batch=500)
        await self.publisher.send(issue.id, batch=250)
        first_ms = place.clock.ms
        for domain in down:
            await store.site_down(SITES[domain], "connect", NO_ANSWER, first_ms, first_ms + HOUR_MS)
        for day in range(5):
            place.clock.ms = first_ms + day * DAY_MS + HOUR_MS
            for domain, site in SITES.items():
                if day >= down.get(domain, 0):
                    await store.site_up(site, place.clock.ms)
                    await self._deliver(site)
                over_ms = place.clock.ms - ISSUE_WAITS_MS
                expiry = (Lane.ISSUES, Domain(domain), over_ms, place.clock.ms, State.EXPIRED, kind_of)
                while await store.expire(*expiry) > 0:
                    pass
        assert await store.finish(issue.id, place.clock.ms)
        place.clock.ms += QUIET_MS
        await self.weighing.look()

    async def _deliver(self, site: str) -> None:
        lease = there(await self.store.lease(Lane.ISSUES, site))
        now_ms = self.place.clock.ms
        while len(claimed := await self.store.claim(lease, now_ms, 250)) > 0:
            await self.store.commit_marks(lease, [one.id for one in claimed])
            await self.store.settle(lease, [Settlement(one.id, State.DELIVERED, now_ms) for one in claimed])
        await self.store.give_back(lease)

    async def suspended(self) -> set[str]:
        everyone = await self.store.readers(WEEKLY, (), None, READERS + self.dead + 1)
        return {str(one.mailbox) for one in everyone if one.state is SubscriberState.SUSPENDED}


def in_weeks(folder: Path, dead: int, story: Callable[[Weeks], Awaitable[None]]) -> None:
    async def told() -> None:
        place = SqlitePlace(str(folder))
        weeks = Weeks(place, place.open_newsletter(), dead)
        await weeks.open()
        await story(weeks)
        await place.close()

    asyncio.run(told())


def test_readers_of_a_dead_domain_are_suspended_after_four_of_five_issues(tmp_path: Path) -> None:
    async def story(weeks: Weeks) -> None:
        for _ in range(3):
            await weeks.issue({DEAD: 99})
            assert await weeks.suspended() == set()
        await weeks.issue({DEAD: 99})
        assert await weeks.suspended() == {f"u{n}@{DEAD}" for n in range(3)}
        reader = there(await weeks.store.find(WEEKLY, Mailbox.parse(f"u0@{DEAD}")))
        bounces = await weeks.store.bounces_of(reader.id, 10)
        assert [(one.kind, one.text) for one in bounces] == [(BounceKind.TEMPORARY, NO_ANSWER)] * 4
        # Who is suspended gets no further issue, and so no further bounce.
        await weeks.issue({})
        assert len(await weeks.store.bounces_of(reader.id, 10)) == 4

    in_weeks(tmp_path, 3, story)


def test_a_dead_domain_with_many_readers_waits_for_the_owner(tmp_path: Path) -> None:
    async def story(weeks: Weeks) -> None:
        for _ in range(4):
            await weeks.issue({DEAD: 99})
        assert await weeks.suspended() == set()
        [(_, many)] = await weeks.store.undecided()
        assert many == 12

    in_weeks(tmp_path, 12, story)


def test_days_on_which_our_own_network_is_down_suspend_no_reader(tmp_path: Path) -> None:
    async def story(weeks: Weeks) -> None:
        for _ in range(6):  # a day at a time, so that no mail expires
            await weeks.issue({LIVING: 1, DEAD: 1})
        assert await weeks.store.undecided() == []
        reader = there(await weeks.store.find(WEEKLY, Mailbox.parse(f"u0@{LIVING}")))
        assert await weeks.store.bounces_of(reader.id, 10) == []
        for _ in range(6):  # and five days at a time: everybody's does, and then the owner decides
            await weeks.issue({LIVING: 99, DEAD: 99})
        bounces = await weeks.store.bounces_of(reader.id, 10)
        assert {one.weighed for one in bounces} == {Weighed.COUNTED, Weighed.HELD}
        assert await weeks.suspended() == set()

    in_weeks(tmp_path, 3, story)
