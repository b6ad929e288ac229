"""Which clients are accepted, which get shorter time-outs, and what is logged."""

import asyncio
from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from secondpost.mail.address import NULL_PATH, Mailbox
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.reply import Reply
from secondpost.mail.tally import Tally
from secondpost.mail.verdict import ACCEPT, Verdict
from secondpost.maillog import MailLog
from secondpost.policy.caller import TOO_MANY, TOO_MANY_FROM_CLIENT, TOO_MANY_FROM_NETWORK
from secondpost.policy.stages import STAGES, judge
from secondpost.receive.attacks import Attacks
from secondpost.receive.caller_log import (
    LINES_MAX,
    MINUTE_SECONDS,
    NETWORK_LINES_MAX,
    SESSION_LINES_MAX,
    CallerLog,
    SessionLog,
)
from secondpost.receive.callers import Caller, Callers, Pressure, caller_at
from secondpost.receive.conduct import ADDRESSES_MAX, Conduct
from secondpost.receive.patience import (
    BODY_SECONDS_MAX,
    HURRIED_COMMAND_SECONDS,
    HURRIED_OCTETS_PER_SECOND,
    hurried_patience,
    usual_patience,
)
from secondpost.receive.proven import PROVEN_MAX, PROVEN_MS, ProvenNetworks
from secondpost.store.ports import ProvenPrefix
from simulation.clock import Timeline, run
from tests.alarms import unlogged_alarms
from tests.stations.known import judged

PRIMARY = "203.0.113.1"
PROVEN = "198.51.100.0/24"
REFUSED = Reply.of(550, "5.1.1", "No such mailbox here")


def at(address: str) -> Caller:
    return caller_at(address)


def callers(places: int = 100, per_address: int = 50) -> Callers:
    return Callers(places, per_address, frozenset({PRIMARY}), lambda link: link == PROVEN)


def admit(here: Callers, caller: Caller) -> Verdict:
    verdict = judged({}, judge(STAGES.connect, here.look(caller)))
    if verdict is ACCEPT:
        here.admit(caller)
    return verdict


def strangers(networks: int | None = None) -> Iterator[Caller]:
    """One address of each of `networks` IPv4 networks (None: without end)."""
    for n in range(65_536) if networks is None else range(networks):
        yield at(f"10.{n >> 8}.{n & 255}.9")


def admitted(here: Callers, coming: Iterator[Caller]) -> list[Caller]:
    """The accepted clients, until the first is refused."""
    found: list[Caller] = []
    for caller in coming:
        if admit(here, caller) is not ACCEPT:
            break
        found.append(caller)
    return found


def test_a_network_of_strangers_has_a_twentieth_whatever_its_addresses() -> None:
    here = callers()
    link = (at(f"2001:db8:0:7::{n:x}") for n in range(1, 1000))
    assert len(admitted(here, link)) == 5
    assert admit(here, at("2001:db8:0:7::ffff")) is TOO_MANY_FROM_NETWORK
    assert len(admitted(here, (at(f"192.0.2.{n}") for n in range(1, 250)))) == 5
    assert admit(here, at("::ffff:192.0.2.250")) is TOO_MANY_FROM_NETWORK
    assert admit(here, at("2001:db8:0:8::1")) is ACCEPT


def test_a_proven_network_and_a_primary_have_ten_times_the_share() -> None:
    here = callers()
    assert len(admitted(here, (at(f"198.51.100.{n}") for n in range(1, 250)))) == 50
    assert admit(here, at("198.51.100.250")) is TOO_MANY_FROM_NETWORK
    primary = callers()
    assert len(admitted(primary, (at(PRIMARY) for _ in range(100)))) == 50
    assert admit(primary, at(PRIMARY)) is TOO_MANY_FROM_CLIENT


def test_an_address_has_no_more_than_the_owner_says() -> None:
    here = callers(per_address=2)
    assert len(admitted(here, (at("198.51.100.7") for _ in range(9)))) == 2
    assert admit(here, at("198.51.100.7")) is TOO_MANY_FROM_CLIENT
    assert admit(here, at("198.51.100.8")) is ACCEPT


def test_as_places_run_short_strangers_are_turned_away_first_and_newcomers_last() -> None:
    here = callers()
    first = admitted(here, (caller for caller in strangers(40) for _ in range(4)))
    assert len(first) == 70
    assert admit(here, first[0]) is TOO_MANY
    assert len(admitted(here, (at(f"198.51.100.{n}") for n in range(1, 99)))) == 15
    assert admit(here, at("192.0.2.1")) is ACCEPT
    assert admit(here, at("192.0.2.2")) is TOO_MANY, "its network has one now"
    assert len(admitted(here, (at(f"192.0.{n}.1") for n in range(3, 99)))) == 9


def test_one_customer_with_many_links_of_ipv6_is_no_newcomer_on_each() -> None:
    here = callers()
    links = (at(f"2001:db8:1:{n:x}::1") for n in range(1, 1000))
    assert len(admitted(here, links)) == 70
    assert admit(here, at("2001:db8:2::1")) is ACCEPT


def test_strangers_from_everywhere_do_not_keep_out_who_is_proven_nor_a_primary() -> None:
    here = callers()
    assert len(admitted(here, strangers())) == 95
    assert admit(here, at("198.51.100.1")) is ACCEPT
    assert admit(here, at("198.51.100.2")) is TOO_MANY
    assert [admit(here, at(PRIMARY)) for _ in range(5)] == [ACCEPT] * 4 + [TOO_MANY]


def test_loopback_may_have_every_place_and_who_leaves_gives_it_back() -> None:
    here = callers(places=10, per_address=1)
    proxy = [at("127.0.0.1")] * 10
    assert len(admitted(here, iter(proxy))) == 10
    assert admit(here, at("::1")) is TOO_MANY
    for caller in proxy:
        here.leave(caller)
    assert len(admitted(here, strangers())) == 10


def test_who_is_gone_leaves_nothing_to_remember() -> None:
    here = callers()
    for caller in islice(strangers(), 5000):
        assert admit(here, caller) is ACCEPT
        here.leave(caller)
    assert len(here._by_address) + len(here._by_link) + len(here._by_site) == 0


def test_pressure_begins_as_places_run_short_and_does_not_flicker() -> None:
    here = callers()
    coming = list(islice(strangers(), 80))
    seen = [pressure_after(here, here.admit, caller) for caller in coming]
    assert (seen.index(Pressure.SOME), seen.index(Pressure.HIGH)) == (54, 69)
    left = [pressure_after(here, here.leave, caller) for caller in coming]
    assert (left.index(Pressure.SOME), left.index(Pressure.NONE)) == (80 - 60 - 1, 80 - 45 - 1)


def pressure_after(here: Callers, does: Callable[[Caller], object], caller: Caller) -> Pressure:
    does(caller)
    return here.pressure


# ---------------------------------------------------------------- proven networks


def test_a_network_is_proven_for_seven_days_and_written_down_once_an_hour() -> None:
    networks = ProvenNetworks()
    begin = 1_800_000_000_000
    assert networks.prove(PROVEN, begin) == ProvenPrefix(PROVEN, begin)
    assert networks.prove(PROVEN, begin + HOUR_MS - 1) is None
    assert networks.prove(PROVEN, begin + HOUR_MS) == ProvenPrefix(PROVEN, begin + HOUR_MS)
    assert networks.has(PROVEN, begin + HOUR_MS + PROVEN_MS)
    assert not networks.has(PROVEN, begin + 3 * HOUR_MS + PROVEN_MS)
    assert not networks.has("192.0.2.0/24", begin)


def test_a_clock_that_was_set_back_proves_nothing_for_ever() -> None:
    networks = ProvenNetworks()
    networks.recall([ProvenPrefix(PROVEN, 3 * PROVEN_MS)])
    assert not networks.has(PROVEN, PROVEN_MS)
    assert networks.prove(PROVEN, PROVEN_MS) == ProvenPrefix(PROVEN, PROVEN_MS)


def test_what_is_remembered_of_networks_is_bounded_and_the_latest_stay() -> None:
    networks = ProvenNetworks()
    networks.recall([ProvenPrefix(f"n{n}", n) for n in range(PROVEN_MAX)])
    networks.prove("n0", PROVEN_MAX + HOUR_MS)
    networks.prove("new", PROVEN_MAX + HOUR_MS)
    assert len(networks._at_ms) == PROVEN_MAX
    assert [networks.has(each, PROVEN_MAX) for each in ("n0", "n1", "n2", "new")] == [True, False, True, True]


# ---------------------------------------------------------------- shorter time-outs


def test_an_address_is_judged_by_its_last_call() -> None:
    conduct, caller, other = Conduct(), at("192.0.2.1"), at("192.0.2.2")
    assert not conduct.is_idle(caller)
    conduct.ended(caller, brought_mail=False)
    assert conduct.is_idle(caller)
    assert not conduct.is_idle(other)
    conduct.ended(caller, brought_mail=True)
    assert not conduct.is_idle(caller)


@pytest.mark.parametrize(
    ("good", "bad", "judged"), [(0, 3, False), (0, 4, True), (4, 4, False), (4, 5, True)]
)
def test_a_network_is_judged_only_when_most_of_its_addresses_bring_nothing(
    good: int, bad: int, judged: bool
) -> None:
    conduct = Conduct()
    for n in range(good + bad):
        for _ in range(3):  # an address that connects often counts once
            conduct.ended(at(f"192.0.2.{n}"), brought_mail=n < good)
    assert conduct.is_idle(at("192.0.2.200")) is judged
    assert not conduct.is_idle(at("198.51.100.1"))


def test_what_is_remembered_of_addresses_is_bounded() -> None:
    conduct = Conduct()
    for n in range(ADDRESSES_MAX + 10):
        conduct.ended(at(f"2001:db8::{n + 1:x}"), brought_mail=False)
    assert sum(len(each.brings_nothing) for each in conduct._networks.values()) == 10


def test_a_caller_in_a_hurry_has_ten_seconds_and_a_body_goes_on_at_the_pace_of_a_slow_line() -> None:
    hurried = hurried_patience(300.0)
    assert (hurried.command, hurried.handshake) == (HURRIED_COMMAND_SECONDS, 10.0)
    assert hurried.body_seconds(0) == 60.0
    assert hurried.body_seconds(100 * HURRIED_OCTETS_PER_SECOND) == 160.0
    assert hurried.body_seconds(10**9) == BODY_SECONDS_MAX
    assert usual_patience(300.0).body_seconds(0) == BODY_SECONDS_MAX
    assert hurried_patience(5.0).command == hurried_patience(5.0).pause == 5.0


# ---------------------------------------------------------------- the log


def written(story: Callable[[CallerLog], None]) -> list[str]:
    """The log lines of a minute and of its end."""
    lines: list[str] = []

    async def play() -> None:
        log = CallerLog(MailLog(lines.append), Attacks(unlogged_alarms(), lambda: 0.0, None), Tally())
        story(log)
        log.end_minute()

    asyncio.run(play())
    return lines


def test_a_session_writes_its_first_refusals_and_how_many_more_there_were() -> None:
    def story(log: CallerLog) -> None:
        session = SessionLog(log, at("192.0.2.1"))
        session.connected()
        for n in range(20):
            session.refused(NULL_PATH, Mailbox.parse(f"u{n}@example.net"), REFUSED, "unknown-recipient")
        session.protocol_fault("too many refusals")
        session.end()

    lines = written(story)
    assert [line.split()[0] for line in lines] == [
        "connected",
        *["refused"] * SESSION_LINES_MAX,
        "protocol-fault",
        "not-logged",
    ]
    assert lines[-1] == "not-logged peer=192.0.2.1 line=refused times=15"


def test_a_network_writes_so_many_lines_a_minute_and_others_go_on() -> None:
    def story(log: CallerLog) -> None:
        for n in range(1000):
            log.refused_connection(at(f"2001:db8::{n + 1:x}"), TOO_MANY_FROM_NETWORK.reason)
        SessionLog(log, at("2001:db8::1")).lost_connection("timeout")
        SessionLog(log, at("192.0.2.1")).connected()
        log.end_minute()
        SessionLog(log, at("2001:db8::1")).connected()

    lines = written(story)
    assert lines[NETWORK_LINES_MAX:] == [
        "connected peer=192.0.2.1",
        f"not-logged peer=2001:db8::/64 line=refused-connection times={1000 - NETWORK_LINES_MAX}",
        "not-logged peer=2001:db8::/64 line=lost-connection times=1",
        "connected peer=2001:db8::1",
    ]


def test_all_networks_together_write_so_many_lines_a_minute() -> None:
    def story(log: CallerLog) -> None:
        for n in range(2 * LINES_MAX):
            SessionLog(log, at(f"10.{n >> 8}.{n & 255}.9")).connected()
        assert len(log._by_network) == LINES_MAX

    lines = written(story)
    assert lines[LINES_MAX:] == [f"not-logged peer=all line=connected times={LINES_MAX}"]


def test_what_a_session_did_not_write_is_counted_where_its_network_may_write_no_more() -> None:
    def story(log: CallerLog) -> None:
        session = SessionLog(log, at("192.0.2.1"))
        for _ in range(20):
            session.protocol_fault("500 5.5.2 Unknown command to: FOO")
        for _ in range(NETWORK_LINES_MAX):
            session.connected()
        session.end()

    lines = written(story)
    assert lines[NETWORK_LINES_MAX:] == [
        f"not-logged peer=192.0.2.0/24 line=connected times={SESSION_LINES_MAX}",
        "not-logged peer=192.0.2.0/24 line=protocol-fault times=15",
    ]


def test_a_minute_ends_by_itself() -> None:
    lines: list[str] = []
    timeline = Timeline()

    async def story() -> None:
        log = CallerLog(MailLog(lines.append), Attacks(unlogged_alarms(), lambda: 0.0, None), Tally())
        for _ in range(NETWORK_LINES_MAX + 1):
            SessionLog(log, at("192.0.2.1")).connected()
        await asyncio.sleep(MINUTE_SECONDS + 1)

    run(story(), timeline, timeline.loop("receive"))
    assert lines[NETWORK_LINES_MAX:] == ["not-logged peer=192.0.2.0/24 line=connected times=1"]
