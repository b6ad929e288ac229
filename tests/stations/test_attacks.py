"""The owner hears once of an attack, with its size and the worst networks, and of its end."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import pytest

from secondpost.mail.address import NULL_PATH, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.attack import SAMPLE_CHARACTERS_MAX, AttackCount
from secondpost.mail.reply import Reply
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.tally import Tally
from secondpost.maillog import MailLog
from secondpost.protocols.attacks.matching import AttackFound
from secondpost.protocols.smtp.server_events import ClientFault, Event, RcptTo
from secondpost.receive.attacks import (
    MANY,
    NETWORKS_MAX,
    QUIET_SECONDS,
    WINDOW_SECONDS,
    Attack,
    Attacks,
)
from secondpost.receive.caller_log import LINES_MAX, CallerLog, SessionLog
from secondpost.receive.callers import caller_at
from secondpost.receive.session_watch import ServerNamed, SessionWatch
from secondpost.spool.attack_tally import UNWRITTEN_MAX, AttackTally
from secondpost.store.attack_ports import COUNTS_PER_WRITE_MAX
from secondpost.store.ports import StoreFull
from simulation.clock import SimClock, Timeline, run
from tests.alarms import how_ended, logged_alarms, that_stand

PRIMARY = "192.0.2.77"
SLEEP = ClientFault("501 to: MAIL", b"MAIL FROM:<;sleep 66;>\r\n")
REFUSED = Reply.of(550, "5.1.1", "No such user")
MAILBOX = Mailbox.parse("guess@example.net")


class ListedCounts:
    """What was stored, as a list. `is_full`: nothing can be stored."""

    def __init__(self) -> None:
        self.stored: list[AttackCount] = []
        self.writes = 0
        self.is_full = False

    async def count_attacks(self, counts: Sequence[AttackCount]) -> None:
        if self.is_full:
            raise StoreFull("no room")
        assert len(counts) <= COUNTS_PER_WRITE_MAX
        self.writes += 1
        self.stored += counts


@dataclass
class Siege:
    attacks: Attacks
    alarms: StandingAlarms
    lines: list[str]
    log: CallerLog
    tally: AttackTally
    counts: ListedCounts

    def call(self, address: str = "192.0.2.1") -> SessionLog:
        return SessionLog(self.log, caller_at(address))

    def faults(self, times: int, address: str = "192.0.2.1") -> None:
        for _ in range(times):
            SessionLog(self.log, caller_at(address)).protocol_fault("no command")

    @property
    def rings(self) -> list[str]:
        return [line for line in self.lines if line.startswith("alarm about=attacked")]


def besieged(story: Callable[[Siege], Awaitable[None]]) -> None:
    timeline = Timeline()

    async def told() -> None:
        lines: list[str] = []
        alarms = logged_alarms(lines, SimClock(timeline).now_ms)
        counts = ListedCounts()
        tally = AttackTally(counts, SimClock(timeline))
        attacks = Attacks(alarms, asyncio.get_running_loop().time, tally, frozenset({PRIMARY}))
        log = CallerLog(MailLog(lines.append), attacks, Tally())
        await story(Siege(attacks, alarms, lines, log, tally, counts))
        attacks.close()

    run(told(), timeline, timeline.loop("receive"))


def does(siege: Siege, attack: Attack, times: int) -> None:
    for n in range(times):
        caller = caller_at(f"198.51.100.{n % 250}")
        match attack:
            case Attack.FAULTS:
                SessionLog(siege.log, caller).protocol_fault("no command")
            case Attack.GUESSES:
                SessionLog(siege.log, caller).refused(NULL_PATH, MAILBOX, REFUSED, "unknown-recipient")
            case Attack.EXPLOITS:
                SessionLog(siege.log, caller).see(SLEEP)
            case Attack.FLOOD:
                siege.log.refused_connection(caller, "too-many-from-network")


@pytest.mark.parametrize("attack", Attack, ids=lambda attack: attack.name)
def test_a_burst_of_each_kind_rings_at_once_and_one_less_does_not(attack: Attack) -> None:
    async def story(siege: Siege) -> None:
        does(siege, attack, attack.burst - 1)
        assert siege.rings == []
        does(siege, attack, 1)
        (ring,) = siege.rings
        assert f"{attack.burst:,} {attack.words} in 10 minutes, most of them from 198.51.100.0/24" in ring

    besieged(story)


def test_an_attack_rings_once_however_long_it_goes_on_and_ends_after_a_quiet_hour() -> None:
    async def story(siege: Siege) -> None:
        for _ in range(12):
            siege.faults(Attack.FAULTS.burst)
            siege.faults(5, "203.0.113.9")
            await asyncio.sleep(WINDOW_SECONDS + 1)
        assert len(siege.rings) == 1
        (alarm,) = siege.alarms.standing()
        assert alarm.detail.endswith("most of them from 192.0.2.0/24 (300), 203.0.113.0/24 (5)")
        await asyncio.sleep(QUIET_SECONDS - 2 * WINDOW_SECONDS)
        assert that_stand(siege.alarms, AlarmKind.ATTACKED) == [""]
        await asyncio.sleep(3 * WINDOW_SECONDS)
        assert siege.alarms.standing() == ()
        assert how_ended(siege.alarms, AlarmKind.ATTACKED, "").startswith(
            "3,660 protocol faults in the last "
        )

    besieged(story)


def test_what_comes_slowly_is_the_noise_of_the_internet() -> None:
    async def story(siege: Siege) -> None:
        for _ in range(20):
            siege.faults(Attack.FAULTS.burst - 1)
            await asyncio.sleep(WINDOW_SECONDS + 1)
        assert siege.rings == []

    besieged(story)


def test_attackers_from_everywhere_are_one_alarm_and_fill_no_memory() -> None:
    async def story(siege: Siege) -> None:
        for n in range(NETWORKS_MAX * 2):
            siege.attacks.count(Attack.FAULTS, caller_at(f"10.{n // 250}.{n % 250}.1"))
        assert len(siege.rings) == 1
        assert [alarm.subject for alarm in siege.alarms.standing()] == [""]
        assert len(siege.attacks._networks) == NETWORKS_MAX

    besieged(story)


def lines_of(siege: Siege, what: str) -> list[str]:
    return [line for line in siege.lines if line.startswith(f"{what} ")]


def test_an_attack_is_logged_and_counted_for_its_network() -> None:
    async def story(siege: Siege) -> None:
        siege.call().see(SLEEP)
        siege.call("192.0.2.9").see(SLEEP)
        siege.call("2001:db8::1").see(SLEEP)
        assert lines_of(siege, "attack")[0] == (
            "attack peer=192.0.2.1 rule=opensmtpd-2020-7247 grade=exploit cve=CVE-2020-7247 place=address "
            'sample="<;sleep 66;>"'
        )
        await siege.tally.write()
        seen = [(one.rule, one.network, one.times, one.client) for one in siege.counts.stored]
        assert seen == [
            ("opensmtpd-2020-7247", "192.0.2.0/24", 2, "192.0.2.9"),
            ("opensmtpd-2020-7247", "2001:db8::/64", 1, "2001:db8::1"),
        ]
        await siege.tally.write()
        assert siege.counts.writes == 1, "without an attack nothing is written"

    besieged(story)


def test_nothing_is_counted_against_a_primary() -> None:
    async def story(siege: Siege) -> None:
        primary = siege.call(PRIMARY)
        primary.see(SLEEP)
        for _ in range(Attack.FAULTS.burst):
            primary.protocol_fault("no command")
        for _ in range(Attack.GUESSES.burst):
            primary.refused(NULL_PATH, MAILBOX, REFUSED, "not-ours")
        await siege.tally.write()
        assert siege.counts.stored == []
        assert siege.rings == []
        assert lines_of(siege, "attack") == []

    besieged(story)


def test_a_flood_from_everywhere_is_bounded_in_memory_and_in_the_log_and_none_is_lost() -> None:
    async def story(siege: Siege) -> None:
        floods = 3 * UNWRITTEN_MAX
        for n in range(floods):
            siege.call(f"10.{n >> 8}.{n & 255}.1").see(SLEEP)
        assert len(siege.tally._counts) <= UNWRITTEN_MAX + 1
        assert len(lines_of(siege, "attack")) <= LINES_MAX
        await siege.tally.write()
        assert sum(one.times for one in siege.counts.stored) == floods
        assert siege.counts.writes == UNWRITTEN_MAX // COUNTS_PER_WRITE_MAX + 1

    besieged(story)


def test_counts_that_cannot_be_stored_are_stored_later() -> None:
    async def story(siege: Siege) -> None:
        siege.call().see(SLEEP)
        siege.counts.is_full = True
        await siege.tally.write()
        siege.call("192.0.2.5").see(SLEEP)
        siege.counts.is_full = False
        await siege.tally.write()
        assert [(one.times, one.client) for one in siege.counts.stored] == [(2, "192.0.2.5")]

    besieged(story)


def test_a_session_writes_five_attacks_to_the_log_and_counts_the_rest() -> None:
    async def story(siege: Siege) -> None:
        session = siege.call()
        for _ in range(30):
            session.see(SLEEP)
        session.end()
        assert len(lines_of(siege, "attack")) == 5
        assert lines_of(siege, "not-logged") == ["not-logged peer=192.0.2.1 line=attack times=25"]

    besieged(story)


def test_a_sample_cannot_break_out_of_its_line() -> None:
    async def story(siege: Siege) -> None:
        evil = b'RCPT TO:<a`id`\x1b[2J\r\nattack peer=203.0.113.9 \xe2\x80\xae"' + b"A" * 5_000
        siege.call().see(ClientFault("", evil))
        (line,) = lines_of(siege, "attack")
        assert line.isprintable()
        assert '\\\\x1b[2J\\\\r\\\\nattack peer=203.0.113.9 \\\\xe2\\\\x80\\\\xae\\"AAA' in line
        await siege.tally.write()
        (count,) = siege.counts.stored
        assert count.sample.isprintable()
        assert len(count.sample) <= SAMPLE_CHARACTERS_MAX

    besieged(story)


def test_login_after_login_and_guess_after_guess_are_found_once_in_a_window_whatever_the_sessions() -> None:
    async def story(siege: Siege) -> None:
        for n in range(2 * MANY):
            siege.call(f"198.51.100.{n}").see(ClientFault("", b"AUTH LOGIN\r\n"))
            siege.call(f"203.0.113.{n}").refused(NULL_PATH, MAILBOX, REFUSED, "unknown-recipient")
        await siege.tally.write()
        seen = {(one.rule, one.network): one.times for one in siege.counts.stored}
        assert seen == {
            ("login", "198.51.100.0/24"): 2 * MANY,
            ("login-storm", "198.51.100.0/24"): 1,
            ("guessed-recipients", "203.0.113.0/24"): 1,
        }

    besieged(story)


def test_a_search_for_an_open_relay_is_found_at_once() -> None:
    async def story(siege: Siege) -> None:
        siege.call().refused(NULL_PATH, MAILBOX, REFUSED, "not-ours")
        await siege.tally.write()
        assert [(one.rule, one.sample) for one in siege.counts.stored] == [
            ("relay-probe", "guess@example.net")
        ]

    besieged(story)


def test_a_fault_of_the_watch_ends_the_watch_alone() -> None:
    class Broken(SessionWatch):
        def see(self, event: Event | ServerNamed) -> tuple[AttackFound, ...]:
            raise RecursionError("a bug")

    async def story(siege: Siege) -> None:
        session = siege.call()
        session._watch = Broken()
        session.see(RcptTo(MAILBOX))
        session.see(SLEEP)
        assert lines_of(siege, "watch-failed") == [
            "watch-failed peer=192.0.2.1 error=\"RecursionError('a bug')\""
        ]

    besieged(story)
