"""The server's own certificate through the years: ordered, renewed, refused, and its key changed."""

import asyncio
from collections.abc import Coroutine
from itertools import pairwise

import pytest

from secondpost.mail.alarm import AlarmKind, Severity
from secondpost.mail.dns_questions import TlsaAnswer
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from secondpost.mail.questions import Finding
from secondpost.protocols.certificate_questions import CertificateNotIssued, CertificateWish
from secondpost.setup.own_certificate import (
    LOOK_MS,
    ORDERS_PER_DAY_MAX,
    ORDERS_PER_HOUR_MAX,
    Deed,
    KeyStage,
    stage_of,
)
from tests.alarms import how_ended, that_stand
from tests.clock import START_MS
from tests.setup.certificate_world import (
    HOST,
    LIFE_MS,
    PAGES,
    TTL_SECONDS,
    CertificateWorld,
    Killed,
    tlsa,
)

REFUSED = CertificateNotIssued(f"it did not accept the proof for {HOST}: connection refused", host=HOST)


def run(story: Coroutine[None, None, None]) -> None:
    asyncio.run(story)


async def with_certificate() -> CertificateWorld:
    world = CertificateWorld()
    await world.settle()
    assert world.files.in_use is not None
    return world


def stage(world: CertificateWorld) -> KeyStage:
    return stage_of(world.files.read(), world.clock.ms)


def test_the_first_look_makes_a_key_and_orders() -> None:
    async def story() -> None:
        world = await with_certificate()
        assert world.files.in_use is not None
        assert world.files.in_use.digest == "k1"
        assert world.files.in_use.names == (HOST,)
        assert (world.files.next_key, stage(world)) == (None, KeyStage.IN_USE)

    run(story())


def test_it_is_renewed_with_its_key_when_a_third_of_its_life_is_left() -> None:
    async def story() -> None:
        world = await with_certificate()
        await world.live(365 * DAY_MS)
        assert {order.request for order in world.ordered} == {f"k1 {HOST}"}
        gaps = [after - before for before, after in pairwise(world.orders_ms)]
        assert len(gaps) == 6
        assert all(0 <= gap - LIFE_MS * 2 // 3 <= LOOK_MS for gap in gaps)

    run(story())


def test_a_name_that_begins_to_point_here_is_added_within_the_hour() -> None:
    async def story() -> None:
        world = await with_certificate()
        await world.live(3 * DAY_MS)
        assert len(world.ordered) == 1
        world.here = (HOST, PAGES)
        await world.live(LOOK_MS)
        assert world.files.in_use is not None
        assert world.files.in_use.names == (HOST, PAGES)

    run(story())


def test_without_any_name_that_points_here_nothing_is_ordered() -> None:
    async def story() -> None:
        world = CertificateWorld(here=())
        await world.live(DAY_MS)
        assert world.ordered == []

    run(story())


@pytest.mark.parametrize("restarts", [False, True], ids=["one process", "a crash at each order"])
def test_failures_never_come_close_to_the_authoritys_limits(restarts: bool) -> None:
    async def story() -> None:
        world = CertificateWorld(refusal=REFUSED)
        while world.clock.ms < START_MS + 3 * DAY_MS:
            if restarts:  # the log of orders is written first, so that the crash counts
                world.files.writes_left = 2 if world.files.next_key is None else 1
                with pytest.raises(Killed):
                    await world.live(3 * DAY_MS)
                world.files.writes_left, world.keeper = None, world.started()
            else:
                await world.live(DAY_MS)
        at = world.orders_ms
        assert len(at) > 15
        for most, span_ms in ((ORDERS_PER_HOUR_MAX, HOUR_MS), (ORDERS_PER_DAY_MAX, DAY_MS)):
            assert all(later - sooner >= span_ms for sooner, later in zip(at, at[most:], strict=False))

    run(story())


def test_the_owner_cannot_exceed_the_limits_either() -> None:
    async def story() -> None:
        world = await with_certificate()
        for _ in range(200):
            await world.asked(CertificateWish.RENEW)
            await world.live(MINUTE_MS)
        at = world.orders_ms
        assert len(at) > ORDERS_PER_HOUR_MAX
        assert all(b - a >= HOUR_MS for a, b in zip(at, at[ORDERS_PER_HOUR_MAX:], strict=False))

    run(story())


def test_the_authority_says_when_to_come_again() -> None:
    async def story() -> None:
        world = CertificateWorld(refusal=CertificateNotIssued("too many orders", retry_seconds=7 * 3600))
        await world.settle()
        world.refusal = None
        await world.live(6 * HOUR_MS)
        assert len(world.ordered) == 1
        await world.live(HOUR_MS)
        assert len(world.ordered) == 2

    run(story())


def test_an_order_that_keeps_failing_is_an_alarm_until_one_succeeds() -> None:
    async def story() -> None:
        world = await with_certificate()
        world.refusal = REFUSED
        await world.live(60 * DAY_MS + MINUTE_MS)
        assert that_stand(world.alarms, AlarmKind.CERTIFICATE_REFUSED) == []  # one failure
        await world.live(HOUR_MS)
        (alarm,) = world.alarms.standing()
        assert (alarm.kind, alarm.severity) == (AlarmKind.CERTIFICATE_REFUSED, Severity.LOOK)
        assert REFUSED.reason in alarm.detail
        await world.live(10 * DAY_MS)
        (alarm,) = world.alarms.standing()
        assert alarm.severity is Severity.ACT
        world.refusal = None
        await world.live(DAY_MS)
        assert "Town CA" in how_ended(world.alarms, AlarmKind.CERTIFICATE_REFUSED, HOST)

    run(story())


def test_a_chain_that_does_not_fit_is_refused_with_an_alarm_and_the_old_one_stays() -> None:
    async def story() -> None:
        world = await with_certificate()
        before = world.files.in_use
        world.chain = f"another-key {HOST}"
        await world.live(61 * DAY_MS)
        assert world.files.in_use == before
        (alarm,) = world.alarms.standing()
        assert "its certificate is for another key" in alarm.detail

    run(story())


# -- a change of the key
def test_without_records_in_dns_the_key_changes_at_once() -> None:
    async def story() -> None:
        world = await with_certificate()
        answered = await world.asked(CertificateWish.ROLL)
        assert answered.is_granted
        await world.settle()
        assert world.files.in_use is not None
        assert world.files.in_use.digest == "k2"
        await world.live(MINUTE_MS)
        assert stage(world) is KeyStage.IN_USE
        assert world.alarms.standing() == ()

    run(story())


def test_with_a_record_the_key_changes_when_no_cache_has_the_old_set_alone() -> None:
    async def story() -> None:
        world = await with_certificate()
        world.published = ["k1"]
        await world.asked(CertificateWish.ROLL)
        await world.live(2 * DAY_MS)
        assert len(world.ordered) == 1  # it waits for the owner
        (alarm,) = world.alarms.standing()
        assert alarm.detail == f"add beside the record that is there: _25._tcp.{HOST}. IN TLSA 3 1 1 k2"

        world.published, published_ms = ["k1", "k2"], world.clock.ms
        await world.live(HOUR_MS)
        assert "the key changes at" in world.alarms.standing()[0].detail
        await world.live(2 * HOUR_MS)
        assert world.files.in_use is not None
        assert world.files.in_use.digest == "k2"
        assert world.orders_ms[-1] - published_ms >= 2 * TTL_SECONDS * SECOND_MS

        assert world.alarms.standing()[0].detail == (
            f"the new key is in use; remove _25._tcp.{HOST}. IN TLSA 3 1 1 k1"
        )
        world.published = ["k2"]
        await world.live(HOUR_MS)
        assert world.alarms.standing() == ()
        assert stage(world) is KeyStage.IN_USE

    run(story())


def test_one_name_server_that_lags_behind_holds_the_change() -> None:
    async def story() -> None:
        world = await with_certificate()
        world.servers = [tlsa("k1", "k2"), tlsa("k1")]
        await world.asked(CertificateWish.ROLL)
        await world.live(5 * DAY_MS)
        assert len(world.ordered) == 1
        world.servers = [tlsa("k1", "k2"), TlsaAnswer(Finding.FAILED)]
        await world.live(5 * DAY_MS)
        assert len(world.ordered) == 1
        world.servers = [tlsa("k1", "k2"), tlsa("k1", "k2")]
        await world.live(3 * HOUR_MS)
        assert len(world.ordered) == 2

    run(story())


def test_a_record_that_is_withdrawn_before_the_change_stops_it() -> None:
    async def story() -> None:
        world = await with_certificate()
        world.published = ["k1", "k2"]
        await world.asked(CertificateWish.ROLL)
        await world.live(HOUR_MS)
        world.published = ["k1"]
        await world.live(5 * DAY_MS)
        assert len(world.ordered) == 1

    run(story())


def test_a_certificate_that_is_due_while_the_key_waits_is_renewed_with_the_old_key() -> None:
    async def story() -> None:
        world = await with_certificate()
        world.published = ["k1"]
        await world.asked(CertificateWish.ROLL)
        await world.live(61 * DAY_MS)
        assert world.ordered[-1].request == f"k1 {HOST}"
        assert (world.files.next_key, stage(world)) == ("k2", KeyStage.PUBLISH)

    run(story())


def test_a_change_can_be_given_up_until_the_key_is_in_use() -> None:
    async def story() -> None:
        world = await with_certificate()
        world.published = ["k1"]
        await world.asked(CertificateWish.ROLL)
        await world.live(HOUR_MS)
        assert (await world.asked(CertificateWish.KEEP_KEY)).is_granted
        assert (stage(world), world.alarms.standing()) == (KeyStage.IN_USE, ())
        assert not (await world.asked(CertificateWish.KEEP_KEY)).is_granted

    run(story())


@pytest.mark.parametrize("writes", range(20))
def test_killed_at_any_write_some_published_record_always_matches_and_the_change_comes_to_its_end(
    writes: int,
) -> None:
    async def story() -> None:
        world = await with_certificate()
        world.published = ["k1"]
        world.files.writes_left = writes

        async def live_on(ms: int) -> None:
            """Killed once, and started again."""
            try:
                await world.live(ms)
            except Killed:
                world.files.writes_left, world.keeper = None, world.started()
                await world.live(ms)

        try:
            await world.asked(CertificateWish.ROLL)
        except Killed:
            world.files.writes_left, world.keeper = None, world.started()
            await world.asked(CertificateWish.ROLL)
        next_key = world.files.next_key
        assert next_key is not None
        world.published = ["k1", next_key]
        for _ in range(12):
            await live_on(HOUR_MS)
            assert world.files.in_use is not None
            assert world.files.in_use.digest in world.published
        assert world.files.in_use is not None
        assert world.files.in_use.digest == next_key
        world.published = [next_key]
        await live_on(HOUR_MS)
        assert stage(world) is KeyStage.IN_USE
        assert (await world.settle()).deed is Deed.WAIT

    run(story())
