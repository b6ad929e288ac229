"""Bounces are weighed: the dead are suspended, and a mass waits for the owner."""

from collections.abc import Sequence

from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.delivery import State
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import Issue, IssueState
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Subscriber, SubscriberState
from secondpost.maillog import MailLog
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.store.ports import Settlement
from secondpost.store.provider_ports import PauseCause
from secondpost.store.subscriber_ports import Bounce
from secondpost.subscribers.weighing import QUIET_MS, BounceWeighing, decide, undecided_bounces
from tests.alarms import logged_alarms, that_stand
from tests.store.place import Place, there
from tests.store.readers import WEEKLY, Publisher

REPLY = "550 5.1.1 no such user"
SITE = "gmail-smtp-in.l.google.com"


class Office:
    """A newsletter whose issues are sent at once, and the weighing of what comes back."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.store: NewsletterStore = place.open_newsletter()
        self.publisher = Publisher(place, self.store)
        self.lines: list[str] = []
        self.alarms = logged_alarms(self.lines, place.clock.now_ms)
        self.weighing = BounceWeighing(self.store, place.clock, MailLog(self.lines.append), self.alarms)

    async def readers(self, many: int, domain: str = "gmail.com", site: str = SITE) -> None:
        await self.publisher.readers(*(f"u{number}@{domain}" for number in range(many)))
        await self.store.hint_site(Lane.ISSUES, Domain(domain), site)

    async def issue(self, refused: dict[str, BounceKind], sites: Sequence[str] = (SITE,)) -> Issue:
        """Send an issue; the mails to these addresses are refused, the others delivered."""
        self.place.clock.ms += 24 * HOUR_MS
        issue = await self.publisher.sent()
        for site in sites:
            lease = there(await self.store.lease(Lane.ISSUES, site))
            while len(claimed := await self.store.claim(lease, self.place.clock.ms, 50)) > 0:
                await self.store.commit_marks(lease, [one.id for one in claimed])
                settlements = []
                for one in claimed:
                    kind = refused.get(str(one.recipient))
                    state = State.DELIVERED if kind is None else State.FAILED
                    settlements.append(
                        Settlement(
                            one.id, state, self.place.clock.ms, reply=REPLY, returned=kind, status="5.1.1"
                        )
                    )
                await self.store.settle(lease, settlements)
            await self.store.give_back(lease)
        await self.store.finish(issue.id, self.place.clock.ms)
        return there(await self.store.issue(issue.id))

    async def weigh(self) -> None:
        self.place.clock.ms += QUIET_MS
        await self.weighing.look()

    async def reader(self, address: str) -> Subscriber:
        [found] = [one for one in await self.all() if str(one.mailbox) == address]
        return found

    async def all(self) -> list[Subscriber]:
        return await self.store.readers(WEEKLY, (), None, 10_000)

    async def suspended(self) -> set[str]:
        return {str(one.mailbox) for one in await self.all() if one.state is SubscriberState.SUSPENDED}


def dead(*addresses: str) -> dict[str, BounceKind]:
    return dict.fromkeys(addresses, BounceKind.DEAD)


async def test_a_dead_mailbox_is_suspended_an_hour_later_and_it_is_said_why(place: Place) -> None:
    office = Office(place)
    await office.readers(3)
    issue = await office.issue(dead("u1@gmail.com"))
    await office.weighing.look()
    assert await office.suspended() == set()
    await office.weigh()
    assert await office.suspended() == {"u1@gmail.com"}
    reader = await office.reader("u1@gmail.com")
    event = (await office.store.events_of(reader.id))[-1]
    assert (event.what, event.detail) == ("suspended", "issue 1: there is no such mailbox")
    [bounce] = await office.store.bounces_of(reader.id, 10)
    assert (bounce.weighed, bounce.text, bounce.evidence) == (Weighed.SUSPENDED, REPLY, None)
    assert await office.store.bounced(issue.id) == dict.fromkeys(BounceKind, 0) | {BounceKind.DEAD: 1}
    assert any("bounces-weighed" in line and "suspended=1 held=0" in line for line in office.lines)


async def test_what_is_not_enough_is_counted_and_what_comes_again_suspends(place: Place) -> None:
    office = Office(place)
    await office.readers(3)
    vague = {"u0@gmail.com": BounceKind.VAGUE, "u2@gmail.com": BounceKind.SENDER}
    await office.issue(vague)
    await office.weigh()
    assert await office.suspended() == set()
    await office.issue(vague)
    await office.weigh()
    assert await office.suspended() == {"u0@gmail.com"}


async def test_a_report_counts_as_a_refusal_does_and_both_of_one_issue_once(place: Place) -> None:
    office = Office(place)
    await office.readers(2)
    issue = await office.issue({"u0@gmail.com": BounceKind.VAGUE})
    reader = await office.reader("u0@gmail.com")
    report = Bounce(
        reader.id, issue.id, QueueId(7), BounceKind.VAGUE, "5.0.0", "no", office.place.clock.now_ms()
    )
    assert await office.store.record_bounce(report)
    await office.weigh()
    assert await office.suspended() == set()
    other = await office.reader("u1@gmail.com")
    report = Bounce(
        other.id, issue.id, QueueId(8), BounceKind.DEAD, "5.1.1", "no", office.place.clock.now_ms()
    )
    assert await office.store.record_bounce(report)
    await office.weigh()
    assert await office.suspended() == {"u1@gmail.com"}


async def test_a_mass_at_a_provider_suspends_no_one_until_the_owner_decides(place: Place) -> None:
    office = Office(place)
    await office.readers(100)
    await office.readers(200, "example.org", "mx.example.org")
    sites = (SITE, "mx.example.org")
    await office.issue({}, sites)
    issue = await office.issue(dead(*(f"u{n}@gmail.com" for n in range(6)), "u1@example.org"), sites)
    await office.weigh()
    assert await office.suspended() == {"u1@example.org"}
    [pause] = await office.store.provider_pauses()
    assert (pause.provider, pause.cause, pause.trial_ms) == ("google", PauseCause.BOUNCES, None)
    assert that_stand(office.alarms, AlarmKind.MANY_BOUNCES) == ["weekly 2"]
    [alarm] = office.alarms.standing()
    assert "none of their readers is suspended, and their provider gets no issue" in alarm.detail
    [waiting] = await undecided_bounces(office.store, issue.id)
    assert (waiting.provider, waiting.name, waiting.readers, waiting.text) == ("google", "Google", 6, REPLY)
    forgiven = await decide(office.store, issue, "google", Weighed.FORGIVEN, office.place.clock.now_ms())
    assert forgiven == 6
    await office.weigh()
    assert await office.suspended() == {"u1@example.org"}
    assert await office.store.provider_pauses() == []
    assert that_stand(office.alarms, AlarmKind.MANY_BOUNCES) == []
    # What was forgiven does not count later, and what the owner accepts does.
    await office.issue({"u0@gmail.com": BounceKind.VAGUE}, sites)
    await office.weigh()
    issue = await office.issue(dead(*(f"u{n}@gmail.com" for n in range(6))), sites)
    await office.weigh()
    assert len(await office.suspended()) == 1
    assert await decide(office.store, issue, None, Weighed.ACCEPTED, office.place.clock.now_ms()) == 6
    assert len(await office.suspended()) == 7
    # The decision holds for a late report of the same issue.
    late = await office.reader("u9@gmail.com")
    report = Bounce(
        late.id, issue.id, QueueId(9), BounceKind.DEAD, "5.1.1", "no", office.place.clock.now_ms()
    )
    await office.store.record_bounce(report)
    await office.weigh()
    assert "u9@gmail.com" in await office.suspended()


async def test_too_many_in_all_hold_the_issue_and_do_not_stop_it(place: Place) -> None:
    office = Office(place)
    for number in range(8):
        await office.readers(10, f"d{number}.example", f"mx.d{number}.example")
    sites = [f"mx.d{number}.example" for number in range(8)]
    await office.issue({}, sites)
    issue = await office.issue(dead(*(f"u1@d{n}.example" for n in range(7))), sites[:7])
    assert issue.state is IssueState.SENDING
    await office.weigh()
    held = there(await office.store.issue(issue.id))
    assert (held.state, held.reason) == (IssueState.HELD, "too many of its mails come back")
    assert await office.suspended() == set()
    assert await office.store.provider_pauses() == []
    assert await decide(office.store, held, None, Weighed.ACCEPTED, 1) == 7
    assert len(await office.suspended()) == 7


async def test_an_imported_list_may_have_more_dead_and_is_counted_apart(place: Place) -> None:
    office = Office(place)
    await office.readers(100)
    await office.issue(dead(*(f"u{n}@gmail.com" for n in range(9))))
    await office.weigh()
    assert len(await office.suspended()) == 9
    await office.issue(dead("u20@gmail.com", "u21@gmail.com"))
    await office.weigh()
    assert len(await office.suspended()) == 11


async def test_a_suspended_reader_comes_back_by_signing_up_and_the_next_bounce_suspends_again(
    place: Place,
) -> None:
    office = Office(place)
    await office.readers(2)
    await office.issue({"u0@gmail.com": BounceKind.VAGUE})
    await office.weigh()
    await office.issue({"u0@gmail.com": BounceKind.VAGUE})
    await office.weigh()
    reader = await office.reader("u0@gmail.com")
    assert await office.store.confirm(reader.id, office.publisher.consent())
    assert await office.suspended() == set()
    await office.issue({"u0@gmail.com": BounceKind.VAGUE})
    await office.weigh()
    assert await office.suspended() == {"u0@gmail.com"}


async def test_the_first_mail_after_a_suspension_is_a_probe_however_late_and_the_second_is_not(
    place: Place,
) -> None:
    office = Office(place)
    await office.readers(2)
    for _ in range(2):
        await office.issue({"u0@gmail.com": BounceKind.VAGUE, "u1@gmail.com": BounceKind.VAGUE})
        await office.weigh()
    assert await office.suspended() == {"u0@gmail.com", "u1@gmail.com"}
    await office.readers(1, "blog.example", "mx.blog.example")
    for _ in range(6):
        await office.issue({}, sites=("mx.blog.example",))
    place.clock.ms += HOUR_MS
    for address in ("u0@gmail.com", "u1@gmail.com"):
        reader = await office.reader(address)
        assert await office.store.confirm(reader.id, office.publisher.consent())
    both = (SITE, "mx.blog.example")
    await office.issue({"u0@gmail.com": BounceKind.VAGUE}, sites=both)
    await office.weigh()
    assert await office.suspended() == {"u0@gmail.com"}
    await office.issue({"u1@gmail.com": BounceKind.VAGUE}, sites=both)
    await office.weigh()
    assert await office.suspended() == {"u0@gmail.com"}


async def test_who_comes_back_while_the_owner_forgives_is_on_no_probe(place: Place) -> None:
    """A forgiven bounce was not the reader's fault: the next one counts as of any other reader."""
    office = Office(place)
    await office.readers(20)
    masses = [f"u{n}@gmail.com" for n in range(6)]
    await office.issue({})
    issue = await office.issue(dead(*masses))
    await office.weigh()
    reader = await office.reader("u0@gmail.com")
    assert await office.store.leave(reader.id, place.clock.ms, "page")
    place.clock.ms += HOUR_MS
    await office.publisher.sign_up("u0@gmail.com")
    assert await office.store.confirm(reader.id, office.publisher.consent())
    assert await decide(office.store, issue, None, Weighed.FORGIVEN, place.clock.ms) == len(masses)
    assert await office.suspended() == set()
    # The first mail since the reader came back, as it is of one whose bounce suspended them.
    await office.issue({"u0@gmail.com": BounceKind.VAGUE, "u1@gmail.com": BounceKind.VAGUE})
    await office.weigh()
    assert await office.suspended() == set()
    [latest, *_] = await office.store.bounces_of(reader.id, 10)
    assert latest.weighed is Weighed.COUNTED


async def test_a_confirmation_to_no_mailbox_ends_the_sign_up(place: Place) -> None:
    office = Office(place)
    await office.publisher.sign_up("new@example.org")
    reader = await office.reader("new@example.org")
    report = Bounce(reader.id, None, QueueId(9), BounceKind.DEAD, "5.1.1", "no", place.clock.now_ms())
    assert await office.store.record_bounce(report)
    await office.weigh()
    assert await office.suspended() == {"new@example.org"}


async def test_nothing_is_done_where_nothing_came_back(place: Place) -> None:
    office = Office(place)
    await office.readers(2)
    await office.issue({})
    await office.weigh()
    assert (await office.suspended(), office.lines) == (set(), [])
    assert await office.store.undecided() == []
