"""What the service deletes about readers by itself, and when."""

from secondpost.mail.address import Mailbox
from secondpost.mail.envelope import Lane
from secondpost.mail.subscriber import SubscriberState
from secondpost.roles.housekeeping import HISTORY_MS, PENDING_MS, forget_readers
from secondpost.store.owner_ports import Selection
from secondpost.subscribers.signup import SignUps
from tests.newsletter.blog import Bench

ANN, BOB = Mailbox.parse("ann@reader.example"), Mailbox.parse("bob@reader.example")


def test_who_never_confirms_is_forgotten_after_two_weeks_and_the_confirmation_after_two_more(
    bench: Bench,
) -> None:
    blog = bench.blog()
    sign_ups = SignUps(
        blog.store, blog.clock, blog.ids, lambda: None, frozenset(), lambda newsletter, domain, at_ms: None
    )

    async def story() -> None:
        for mailbox in (ANN, BOB):
            await sign_ups.ask("weekly", mailbox, "/weekly/", "You get it.", "")
        bob = await blog.store.find("weekly", BOB)
        assert bob is not None
        await sign_ups.confirm(bob.id, "/confirm/", "Yes.", "")
        blog.clock.ms += PENDING_MS
        await forget_readers(blog.store, blog.clock.ms)
        assert await blog.store.find("weekly", ANN) is not None
        await forget_readers(blog.store, blog.clock.ms + 1)
        assert await blog.store.find("weekly", ANN) is None
        still = await blog.store.find("weekly", BOB)
        assert still is not None
        assert still.state is SubscriberState.ACTIVE
        # Neither mail is sent any more: one has no recipient any more, the other was answered.
        lease = await blog.store.lease(Lane.OWN, "unsorted")
        assert lease is not None
        assert await blog.store.claim(lease, blog.clock.ms, 10) == []
        assert len(await blog.store.listed(Selection(), None, 10)) == 2
        await forget_readers(blog.store, blog.clock.ms + HISTORY_MS + 1)
        assert await blog.store.listed(Selection(), None, 10) == []

    bench.run(story())
