"""A year of a list of 5,000: the dead are suspended, the living are not, whatever goes wrong between."""

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path

from secondpost.bounce.judge import judged
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.delivery import Claimed, State
from secondpost.mail.duration import DAY_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueState
from secondpost.mail.outcome import Cause
from secondpost.mail.reply import Reply
from secondpost.mail.subscriber import SubscriberState
from secondpost.maillog import MailLog
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import Settlement
from secondpost.store.subscriber_ports import Imported
from secondpost.subscribers.weighing import QUIET_MS, BounceWeighing, decide
from tests.alarms import unlogged_alarms
from tests.store.place import SqlitePlace, there
from tests.store.readers import WEEKLY, Publisher

READERS = 5_000
WEEKS = 52
DYING_EACH = 50  # every fiftieth reader: 2 % in the year
SITES = {
    "gmail.com": "gmail-smtp-in.l.google.com",
    "outlook.com": "outlook-com.olc.protection.outlook.com",
    "yahoo.com": "mta5.am0.yahoodns.net",
    "blog.example": "mx.blog.example",
}
BAD_DAYS = (11, 29)  # a wrong key, and a block list
CONFUSED_WEEK = 20  # Microsoft finds no mailbox of its own
BLOCKED_WEEKS = range(33, 40)  # by Yahoo
DARK_WEEK = 45  # the DNS of blog.example is gone

NO_SUCH = {
    "gmail.com": (550, "5.1.1", "The email account that you tried to reach does not exist."),
    "outlook.com": (550, "5.5.0", "Requested action not taken: mailbox unavailable."),
    "yahoo.com": (554, "", "delivery error: dd This user doesn't have a yahoo.com account"),
    "blog.example": (550, "5.1.1", "Recipient address rejected: User unknown in virtual mailbox table"),
}


def domain_of(number: int) -> str:
    return tuple(SITES)[(number // DYING_EACH) % len(SITES)]


def dies_in(number: int) -> int | None:
    """The week from which the reader's mailbox does not exist."""
    return None if number % DYING_EACH != 0 else (number // DYING_EACH) * 7 % WEEKS


def said(number: int, week: int) -> tuple[Cause, Reply] | None:
    """What the reader's server says in that week; None: it takes the mail."""
    domain, dead = domain_of(number), dies_in(number)
    if week == BAD_DAYS[0]:
        return Cause.MESSAGE, Reply.of(550, "5.7.26", "Unauthenticated email is not accepted: DKIM failed")
    if week == BAD_DAYS[1]:
        return Cause.RECIPIENT, Reply.of(550, "5.1.1", "192.0.2.25 is listed at Spamhaus; user unknown")
    if domain == "yahoo.com" and week in BLOCKED_WEEKS:
        return Cause.MESSAGE, Reply.of(554, "5.7.9", "Message not accepted for policy reasons.")
    if domain == "blog.example" and week == DARK_WEEK:
        return Cause.DNS, Reply.of(451, "4.4.3", "the MX of blog.example cannot be looked up now")
    if domain == "outlook.com" and week == CONFUSED_WEEK:
        return Cause.RECIPIENT, Reply.of(550, "5.1.1", "no such user here")
    if dead is not None and week >= dead:
        return Cause.RECIPIENT, Reply.of(*NO_SUCH[domain])
    return None


def outcome(claimed: Claimed, week: int, now_ms: int) -> Settlement:
    assert claimed.subscriber is not None
    refused = said(int(str(claimed.recipient).partition("@")[0][1:]), week)
    if refused is None:
        return Settlement(claimed.id, State.DELIVERED, now_ms)
    cause, reply = refused
    kind = judged(cause, reply)
    # A fault of ours or of DNS is tried for three days, and none of them mends it here.
    waits = kind is BounceKind.SENDER or reply.is_temporary
    return Settlement(
        claimed.id,
        State.EXPIRED if waits else State.FAILED,
        now_ms,
        cause=cause.word,
        reply=str(reply),
        returned=kind,
        status=reply.status,
    )


async def send(store: NewsletterStore, now_ms: int, settled: Callable[[Claimed], Settlement]) -> None:
    for site in SITES.values():
        lease = there(await store.lease(Lane.ISSUES, site))
        while len(claimed := await store.claim(lease, now_ms, 250)) > 0:
            await store.commit_marks(lease, [one.id for one in claimed])
            await store.settle(lease, [settled(one) for one in claimed])
        await store.give_back(lease)


def _mailbox(number: int) -> Mailbox:
    return Mailbox.parse(f"u{number}@{domain_of(number)}")


def test_in_a_year_the_dead_are_suspended_and_the_living_are_not(tmp_path: Path) -> None:
    asyncio.run(a_year(tmp_path))


async def a_year(tmp_path: Path) -> None:
    place = SqlitePlace(str(tmp_path))
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    lines: list[str] = []
    weighing = BounceWeighing(store, place.clock, MailLog(lines.append), unlogged_alarms())
    readers = [Imported(_mailbox(number)) for number in range(READERS)]
    for start in range(0, READERS, 250):
        await store.import_batch(
            WEEKLY, readers[start : start + 250], SubscriberState.ACTIVE, publisher.consent(), place.clock.ms
        )
    for domain, site in SITES.items():
        await store.hint_site(Lane.ISSUES, Domain(domain), site)
    forgiven = 0
    for week in range(WEEKS):
        place.clock.ms += 7 * DAY_MS
        issue = await publisher.freeze((await publisher.digest()).id, batch=500)
        await publisher.send(issue.id, batch=250)
        now_ms = place.clock.ms
        await send(store, now_ms, partial(outcome, week=week, now_ms=now_ms))
        assert await store.finish(issue.id, place.clock.ms)
        place.clock.ms += QUIET_MS
        await weighing.look()
        for id, _ in await store.undecided():
            assert week == CONFUSED_WEEK
            found = there(await store.issue(id))
            assert found.state is IssueState.DONE
            forgiven = await decide(store, found, None, Weighed.FORGIVEN, place.clock.ms)
    everyone = await store.readers(WEEKLY, (), None, READERS + 1)
    suspended = {str(one.mailbox) for one in everyone if one.state is SubscriberState.SUSPENDED}
    # Who is unreachable in too few words is suspended after two issues, so not in the last week.
    dead = {str(_mailbox(n)) for n in range(READERS) if (dies := dies_in(n)) is not None and dies < WEEKS - 2}
    living = {str(_mailbox(n)) for n in range(READERS) if dies_in(n) is None}
    assert suspended & living == set()
    assert dead - suspended == set()
    assert forgiven > READERS / len(SITES) * 0.9
    assert await store.provider_pauses() == []
    await place.close()
