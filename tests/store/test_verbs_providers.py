"""The verbs of providers: which queries they run."""

from msgspec.structs import replace

from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import UNSORTED
from secondpost.mail.queue_id import QueueId
from secondpost.store.ports import Lease, Settlement
from secondpost.store.provider_ports import PauseCause, ProviderDay, ProviderPause
from secondpost.store.verbs.claims import ClaimsVerbs
from secondpost.store.verbs.providers import ProvidersVerbs
from secondpost.store.verbs.reader_mail import ReaderMailVerbs
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, over

GMAIL = "gmail-smtp-in.l.google.com"
LEASE = Lease(Lane.ISSUES, GMAIL, 0, 7)
PAUSE = ProviderPause("google", PauseCause.BREAKER, 5, "550 5.7.1 no", 9)
ROW = ("google", "breaker", 5, "550 5.7.1 no", 9)


async def test_a_pause_begins_and_ends() -> None:
    engine = RecordingEngine(
        [
            ("providers.pauses_of", [("owner", None)]),
            ("providers.pause", 1),
            ("providers.pauses_of", [("breaker", 9)]),
            ("providers.pause", 1),
            ("providers.pauses", [ROW]),
            ("providers.resume", 1),
            ("providers.resume", 0),
        ]
    )
    store = over(engine, ProvidersVerbs)
    assert await store.pause_provider(PAUSE)
    assert not await store.pause_provider(PAUSE)
    assert await store.provider_pauses() == [PAUSE]
    assert await store.resume_provider("google", PauseCause.BREAKER)
    assert not await store.resume_provider("google", PauseCause.BREAKER)
    assert Query("providers.pause", ROW) in engine.finished()


async def test_days_are_read_and_forgotten() -> None:
    engine = RecordingEngine(
        [("providers.days", [("google", 3, 1, 2, 3, 4, 5)]), ("providers.forget_days", 1)]
    )
    store = over(engine, ProvidersVerbs)
    [day] = await store.provider_days(3)
    assert day == ProviderDay("google", 3, delivered=1, deferred=2, failed=3, unknown=4, sender_fault=5)
    assert day.attempts == 10
    assert await store.forget_provider_days(2) == 1
    assert engine.finished() == [Query("providers.days", (3,)), Query("providers.forget_days", (2,))]


async def test_the_days_of_paused_mail_begin_anew_for_the_domains_of_the_provider() -> None:
    engine = RecordingEngine(
        [
            ("providers.domains", [(1, GMAIL), (2, "mx.example"), (3, "")]),
            ("providers.tried", [(8, 1), (8, 2)]),
            ("providers.begin_days_anew", 2),
        ]
    )
    await over(engine, ProvidersVerbs).begin_days_anew({"google"})
    assert engine.finished()[-1] == Query("providers.begin_days_anew", (), [(8, 1), (8, 2)])


async def test_a_paused_provider_has_nothing_claimed() -> None:
    for pauses in ([("owner", None)], [("breaker", 100)], [("bounces", None), ("breaker", 1)]):
        engine = RecordingEngine([("providers.pauses_of", pauses)])
        assert await over(engine, ReaderMailVerbs).claim(LEASE, 50, 200) == []
        assert engine.finished() == [Query("providers.pauses_of", ("google",))]


async def test_a_trial_claims_at_most_one() -> None:
    engine = RecordingEngine(
        [
            ("providers.pauses_of", [("breaker", 50)]),
            ("claims.domains_in_turn", []),
            ("claims.domains_in_turn", []),
        ]
    )
    assert await over(engine, ReaderMailVerbs).claim(LEASE, 50, 200) == []
    # Nothing was claimed: the trial is still to come.
    assert engine.finished()[1] == Query("claims.domains_in_turn", ("issues", GMAIL, 50, 7, 1))


async def test_outcomes_are_counted_by_provider_and_day_in_one_query() -> None:
    def settled(
        n: int, state: State, at_ms: int = 0, *, sender_fault: bool = False, attempted: bool = True
    ) -> Settlement:
        return Settlement(
            DeliveryId(QueueId(1), n),
            state,
            at_ms,
            provider="google",
            sender_fault=sender_fault,
            attempted=attempted,
        )

    outcomes = [
        settled(1, State.DELIVERED),
        settled(2, State.DELIVERED),
        replace(settled(3, State.WAITING), sender_fault=True),
        settled(4, State.FAILED),
        settled(5, State.UNKNOWN, DAY_MS + HOUR_MS),
        replace(settled(6, State.WAITING), attempted=False),
    ]
    engine = RecordingEngine([("claims.settle", 6), ("providers.count", 2), ("statistics.count_deferred", 1)])
    assert await over(engine, ClaimsVerbs).settle(LEASE, outcomes) == 6
    chosen = [("google", 0, 2, 1, 1, 0, 1), ("google", 1, 0, 0, 0, 1, 0)]
    assert engine.finished()[1] == Query("providers.count", (), chosen)


async def test_complaints_are_counted_by_provider() -> None:
    engine = RecordingEngine(
        [
            (
                "providers.complained",
                [("a.example", GMAIL, 2), ("gmail.com", UNSORTED, 1), ("b.example", "mx.b.example", 4)],
            )
        ]
    )
    store = over(engine, ProvidersVerbs)
    assert await store.complaints_by_provider(5) == {"google": 3, "others": 4}
    assert engine.finished() == [Query("providers.complained", (5,))]
