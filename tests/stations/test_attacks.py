"""The owner hears once of an attack, with its size and the worst networks, and of its end."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from secondpost.mail.address import NULL_PATH, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.reply import Reply
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.tally import Tally
from secondpost.maillog import MailLog
from secondpost.receive.attacks import (
    NETWORKS_MAX,
    QUIET_SECONDS,
    WINDOW_SECONDS,
    Attack,
    Attacks,
)
from secondpost.receive.caller_log import CallerLog, SessionLog
from secondpost.receive.callers import caller_at
from simulation.clock import SimClock, Timeline, run
from tests.alarms import how_ended, logged_alarms, that_stand

REFUSED = Reply.of(550, "5.1.1", "No such user")
MAILBOX = Mailbox.parse("guess@example.net")


@dataclass
class Siege:
    attacks: Attacks
    alarms: StandingAlarms
    lines: list[str]
    log: CallerLog

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
        attacks = Attacks(alarms, asyncio.get_running_loop().time)
        await story(Siege(attacks, alarms, lines, CallerLog(MailLog(lines.append), attacks, Tally())))
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
            siege.attacks.count(Attack.FAULTS, f"10.{n // 250}.{n % 250}.0/24")
        assert len(siege.rings) == 1
        assert [alarm.subject for alarm in siege.alarms.standing()] == [""]
        assert len(siege.attacks._networks) == NETWORKS_MAX

    besieged(story)
