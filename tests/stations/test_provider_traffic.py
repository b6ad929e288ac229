"""Mail of issues by provider, with a dict as the store and a clock that is set."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass, field, replace

import pytest

from secondpost.deliver.breaker import Breaker
from secondpost.deliver.mail_bucket import MailBucket
from secondpost.deliver.provider_share import ProviderShare, is_objection
from secondpost.deliver.providers import DayBound, ProviderTraffic, unbounded
from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.daily import day_of
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueId
from secondpost.mail.outcome import Cause, Deferred, Delivered, Failed, Outcome
from secondpost.mail.provider import BY_KEY, OTHERS, PROFILES, provider_of_key, provider_of_site
from secondpost.mail.queue_id import QueueId
from secondpost.mail.rate import MailRate, parse_rate
from secondpost.mail.reply import Reply
from secondpost.mail.subscriber import SubscriberId
from secondpost.mail.warm_up import day_bound
from secondpost.store.provider_ports import PauseCause, ProviderDay, ProviderPause
from tests.alarms import that_stand, unlogged_alarms
from tests.clock import SetClock

pytestmark = pytest.mark.anyio

GMAIL, WORKSPACE = "gmail-smtp-in.l.google.com", "aspmx.l.google.com"
LITTLE = "mx.example.net"
NO_REPUTATION = Reply.of(550, "5.7.1", "our system has detected a very low reputation of your address")
RATED = Reply.of(421, "4.7.28", "unusual rate of mail from your address")
TAKEN = Reply.of(250, "2.0.0", "taken")
NOON = 20_000 * DAY_MS + 12 * HOUR_MS


@dataclass
class Pauses:
    """A store of pauses and days, as dicts."""

    pauses: dict[tuple[str, PauseCause], ProviderPause] = field(default_factory=dict)
    days: list[ProviderDay] = field(default_factory=list)
    anew: list[Collection[str]] = field(default_factory=list)

    async def provider_pauses(self) -> list[ProviderPause]:
        return list(self.pauses.values())

    async def pause_provider(self, pause: ProviderPause) -> bool:
        began = (pause.provider, pause.cause) not in self.pauses
        self.pauses[pause.provider, pause.cause] = pause
        return began

    async def resume_provider(self, provider: str, cause: PauseCause) -> bool:
        return self.pauses.pop((provider, cause), None) is not None

    def claimed(self, provider: str, now_ms: int) -> None:
        """As the store does with a claim: the next trial is an hour later."""
        pause = self.pauses.get((provider, PauseCause.BREAKER))
        if pause is not None:
            self.pauses[provider, PauseCause.BREAKER] = replace(pause, trial_ms=now_ms + HOUR_MS)

    async def provider_days(self, since_day: int) -> list[ProviderDay]:
        return [each for each in self.days if each.day >= since_day]

    async def forget_provider_days(self, before_day: int) -> int:
        kept = [each for each in self.days if each.day >= before_day]
        forgotten = len(self.days) - len(kept)
        self.days = kept
        return forgotten

    async def begin_days_anew(self, providers: Collection[str]) -> None:
        self.anew.append(providers)


def row(number: int) -> Claimed:
    return Claimed(
        id=DeliveryId(QueueId(1), number),
        lane=Lane.ISSUES,
        origin=Lane.ISSUES,
        sender=NULL_PATH,
        recipient=Mailbox(f"r{number}", Domain("reader.example")),
        size=1,
        file=None,
        eight_bit=False,
        arrived_ms=0,
        attempts=0,
        first_attempt_ms=None,
        maybe_duplicate=False,
        issue=IssueId(1),
        subscriber=SubscriberId(number),
    )


class Sender:
    """Sends mails of an issue to a provider, by the second."""

    def __init__(self, rate: MailRate | None = None, day_bound: DayBound = unbounded) -> None:
        self.store, self.clock = Pauses(), SetClock(NOON)
        self.alarms = unlogged_alarms()
        self.sent = 0
        self.rate, self.day_bound = rate, day_bound
        self.begin()

    def begin(self) -> None:
        self._running: list[asyncio.Future[None]] = []
        self.traffic = ProviderTraffic(
            20, self.rate, self.store, self.clock, self.alarms, self._run, self.day_bound
        )

    def _run(self, work: Coroutine[None, None, None]) -> None:
        self._running.append(asyncio.ensure_future(work))

    async def seconds(self, seconds: int, answer: Callable[[int], Outcome], site: str = GMAIL) -> list[int]:
        """Send what may go; returns the mails of each second."""
        mails = []
        for _ in range(seconds):
            await self.traffic.refresh()
            going = 0
            if self.traffic.wait_seconds(site) == 0:
                going = self.traffic.allowance(site, 200)
                self.store.claimed(provider_of_site(site).key, self.clock.ms)
                self.traffic.claimed(site, [row(self.sent + n) for n in range(going)])
            for _ in range(going):
                outcome = answer(self.sent)
                fault = outcome.reply.status.startswith("5.7")
                self.traffic.tried(site, row(self.sent), outcome, sender_fault=fault)
                self.sent += 1
            await asyncio.gather(*self._running)
            mails.append(going)
            self.clock.ms += SECOND_MS
        return mails


def takes(_: int) -> Outcome:
    return Delivered("mx", TAKEN)


def refuses(_: int) -> Outcome:
    return Failed(Cause.MESSAGE, "mx", NO_REPUTATION)


def is_too_much(_: int) -> Outcome:
    return Deferred(Cause.MESSAGE, "mx", RATED)


def share_of(connections_max: int = 20) -> ProviderShare:
    return ProviderShare(BY_KEY["google"], connections_max, 0)


def test_a_provider_is_known_by_all_its_hosts() -> None:
    assert provider_of_site(f"{GMAIL},alt1.{GMAIL}:25").key == "google"
    assert provider_of_site(f"{GMAIL},{LITTLE}").profile is None
    # Mailboxes of Outlook.com and those of companies think differently of a sender.
    assert provider_of_site("outlook-com.olc.protection.outlook.com").key == "outlook"
    assert provider_of_site("example-net.mail.protection.outlook.com").key == "microsoft365"
    assert provider_of_site("example-net.h-v1.mx.microsoft").key == "microsoft365"
    assert provider_of_site("mx.notgoogle.com").profile is None
    assert provider_of_site(LITTLE).counted_as == OTHERS
    assert all(provider_of_key(profile.key).profile is profile for profile in PROFILES)
    assert len(BY_KEY) == len(PROFILES)


def test_a_rate_is_written_in_words() -> None:
    assert parse_rate("20000 an hour") == parse_rate("20000/hour") == MailRate(20_000, HOUR_MS)
    assert parse_rate("5 per second") == MailRate(5, SECOND_MS)
    for rate in (MailRate(1, SECOND_MS), MailRate(2, MINUTE_MS), MailRate(3, HOUR_MS), MailRate(4, DAY_MS)):
        assert parse_rate(str(rate)) == rate
    for wrong in (
        "",
        "fast",
        "20000",
        "0 an hour",
        "-1 an hour",
        "1.5 a day",
        "9999999999 a day",
        "5 a week",
    ):
        with pytest.raises(ValueError):
            parse_rate(wrong)


def test_a_bucket_evens_out() -> None:
    bucket = MailBucket(2.0, 0)
    assert bucket.available(0) == 1
    bucket.take(1)
    assert bucket.wait_seconds(0) == 0.5
    assert bucket.available(500) == 1
    assert bucket.available(HOUR_MS) == 2  # no burst after a pause


def test_a_breaker_needs_twenty_attempts_and_more_than_a_tenth_of_faults() -> None:
    few = Breaker()
    assert [few.note(0, sender_fault=True) for _ in range(20)] == [False] * 19 + [True]
    tenth = Breaker()
    assert not any(tenth.note(n * SECOND_MS, sender_fault=n % 10 == 9) for n in range(200))
    old = Breaker()
    assert not any(old.note(0, sender_fault=True) for _ in range(19))
    assert not old.note(15 * MINUTE_MS, sender_fault=True)


def test_sites_of_a_provider_share_its_connections() -> None:
    share = share_of()
    opened = {GMAIL: 0, WORKSPACE: 0}
    assert share.has_room(GMAIL)
    share.expect(GMAIL)
    assert not share.has_room(WORKSPACE)  # a provider begins with one connection
    share.begin(GMAIL, lambda: opened[GMAIL])
    for _ in range(10):
        share.pace.delivered()
    assert share.pace.allowed == 5
    assert share.has_room(WORKSPACE)
    share.expect(WORKSPACE)
    share.begin(WORKSPACE, lambda: opened[WORKSPACE])
    opened[GMAIL], opened[WORKSPACE] = 4, 1
    assert (share.limit(GMAIL, 0), share.limit(WORKSPACE, 0)) == (4, 1)
    # A third waits, and the one with several gives one up.
    assert not share.has_room("aspmx2.googlemail.com")
    assert (share.limit(GMAIL, 0), share.limit(WORKSPACE, 0)) == (3, 1)
    share.end(WORKSPACE)
    assert share.has_room("aspmx2.googlemail.com")
    assert share_of(connections_max=2).pace.connections_max == 2


def test_a_volley_of_objections_halves_the_rate_once() -> None:
    share = share_of()
    before = share.mails_per_minute
    for ms in range(0, 5_000, 100):
        share.objected(ms)
    assert share.mails_per_minute == before / 2
    for n in range(100):
        share.objected(MINUTE_MS * (1 + n))
    assert share.mails_per_minute == 1.0
    share.delivered()
    assert 1.0 < share.mails_per_minute < 1.1


def test_which_replies_ask_for_less() -> None:
    assert is_objection(RATED)
    assert is_objection(Reply.of(452, "4.3.2", "try later"))
    assert not is_objection(Reply.of(452, "4.2.2", "mailbox full"))
    assert not is_objection(NO_REPUTATION)


async def test_a_provider_begins_slowly_and_takes_more_with_time() -> None:
    sender = Sender()
    mails = await sender.seconds(600, takes)
    first, last = sum(mails[:60]), sum(mails[-60:])
    assert 100 <= first <= 200
    assert last > 4 * first
    # One without a profile is not slowed.
    assert sender.traffic.allowance(LITTLE, 200) == 200


async def test_a_provider_that_objects_gets_less() -> None:
    sender = Sender()
    bound = 60  # a minute

    def answer(_: int) -> Outcome:
        share = sender.traffic.share(GMAIL)
        assert share is not None
        return is_too_much(0) if share.mails_per_minute > bound else takes(0)

    await sender.seconds(60, answer)
    mails = await sender.seconds(600, answer)
    assert 0.4 * bound * 10 <= sum(mails) <= 1.2 * bound * 10


async def test_a_provider_that_refuses_us_is_paused_and_opens_with_a_trial() -> None:
    """It blocks for three hours; then a trial mail is taken, and the rest goes."""
    sender = Sender()
    opens_ms = sender.clock.ms + 3 * HOUR_MS + MINUTE_MS

    def answer(_: int) -> Outcome:
        return takes(0) if sender.clock.ms >= opens_ms else refuses(0)

    await sender.seconds(60, answer)
    assert 20 <= sender.sent <= 30
    [pause] = sender.store.pauses.values()
    assert (pause.provider, pause.cause) == ("google", PauseCause.BREAKER)
    assert "very low reputation" in pause.detail
    assert that_stand(sender.alarms, AlarmKind.PROVIDER_PAUSED) == ["google"]
    assert sender.traffic.is_paused(WORKSPACE)
    assert not sender.traffic.is_paused(LITTLE)
    before = sender.sent
    await sender.seconds(3 * 3_600 - 60, answer)
    assert sender.sent - before in (2, 3)  # one an hour
    await sender.traffic.keep_days()
    assert sender.store.anew == [frozenset({"google"})]
    await sender.seconds(3_600 + 60, answer)
    assert sender.store.pauses == {}
    assert that_stand(sender.alarms, AlarmKind.PROVIDER_PAUSED) == []
    assert sender.sent - before > 20


async def test_the_owner_pauses_and_resumes() -> None:
    sender = Sender()
    pause = ProviderPause("google", PauseCause.OWNER, NOON, "wait")
    await sender.store.pause_provider(pause)
    assert sum(await sender.seconds(2 * 3_600, takes)) == 0  # no trial either
    await sender.store.resume_provider("google", PauseCause.OWNER)
    assert sum(await sender.seconds(30, takes)) > 20


async def test_the_rate_of_all_is_kept_over_providers_and_restarts() -> None:
    sender = Sender(rate=MailRate(1_800, HOUR_MS))
    mails = [await sender.seconds(1, takes, LITTLE if n % 2 == 0 else GMAIL) for n in range(600)]
    assert 299 <= sender.sent <= 301
    assert max(most for [most] in mails) == 1
    sender.begin()
    assert sum(await sender.seconds(60, takes, LITTLE)) in (30, 31)


async def test_a_day_has_no_more_mails_than_its_bound_and_the_next_goes_on() -> None:
    sender = Sender(day_bound=lambda days, provider, day: 50 if provider == "google" else None)
    sender.store.days = [ProviderDay("google", day_of(NOON), delivered=8, deferred=2)]
    assert sum(await sender.seconds(600, takes)) == 40
    assert sum(await sender.seconds(60, takes, LITTLE)) == 60 * 200
    sender.clock.ms = (day_of(NOON) + 1) * DAY_MS
    assert sum(await sender.seconds(600, takes)) == 50


async def test_mails_handed_back_count_for_no_bound() -> None:
    sender = Sender(day_bound=lambda days, provider, day: 1)
    await sender.traffic.refresh()
    sender.traffic.claimed(LITTLE, [row(1)])
    assert sender.traffic.allowance(LITTLE, 5) == 0
    sender.traffic.untried(LITTLE, 1)
    assert sender.traffic.allowance(LITTLE, 5) == 1


async def test_a_new_address_sends_more_each_day_as_the_calendar_says_across_restarts() -> None:
    sender = Sender(day_bound=day_bound)
    for day, mails in enumerate((200, 300, 450, 675), day_of(NOON)):
        sender.clock.ms = day * DAY_MS + HOUR_MS
        half = sum(await sender.seconds(120, takes))
        sender.store.days = [*sender.store.days, ProviderDay("google", day, delivered=half)]
        sender.begin()
        assert half + sum(await sender.seconds(1_200, takes)) == mails
        sender.store.days = [*sender.store.days[:-1], ProviderDay("google", day, delivered=mails)]


async def test_a_day_that_went_badly_is_followed_by_one_with_as_many_mails() -> None:
    sender, today = Sender(day_bound=day_bound), day_of(NOON)
    sender.store.days = [
        ProviderDay("google", today - 2, delivered=400),
        ProviderDay("google", today - 1, delivered=300, deferred=100, sender_fault=100),
    ]
    assert sum(await sender.seconds(1_200, takes)) == 400
