"""What attackers do, of all sessions together: counted for the owner's list, and bursts of it an alarm.

Ordinary mail costs nothing here: only what the watch of a session found, refusals and faults are
counted. Bursts are counted in windows of ten minutes and alarm the owner once for the whole server;
networks stand only in the text of the alarm, since attackers choose them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from enum import Enum

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import age_text
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.policy.recipient import NOT_OURS
from secondpost.protocols.attacks.matching import AttackFound, did
from secondpost.protocols.attacks.rule import AttackGrade, AttackRule
from secondpost.protocols.attacks.rules import (
    EXTERNAL_LOGIN,
    GUESSED_RECIPIENTS,
    LOGIN,
    LOGIN_STORM,
    LONG_LOGIN,
    NTLM_PROBE,
    RELAY_PROBE,
)
from secondpost.receive.callers import Caller
from secondpost.receive.session_watch import SessionWatch
from secondpost.spool.attack_tally import AttackTally

WINDOW_SECONDS = 600.0
QUIET_SECONDS = 3_600.0  # without a burst, then the attack is over
NETWORKS_MAX = 2_000  # counted by themselves in a window
NETWORKS_SHOWN = 3
MANY = 20  # logins, or wrong recipients, of one network in a window: it is searching


class Attack(Enum):
    """What is counted, its words, and how many in a window are a burst.

    A server on the internet sees each of them every day; these are ten times a usual day's worth,
    in ten minutes.
    """

    EXPLOITS = ("attempts to break in", 50)
    FAULTS = ("protocol faults", 300)
    GUESSES = ("recipients that do not exist or are not ours", 500)
    FLOOD = ("connections turned away", 1_000)

    def __init__(self, words: str, burst: int) -> None:
        self.words = words
        self.burst = burst


# Reasons of refused recipients: dictionary attacks, and the search for open relays.
GUESSING = frozenset({"unknown-recipient", "unverified-rate", NOT_OURS.reason})
LOGINS = frozenset({LOGIN, LONG_LOGIN, NTLM_PROBE, EXTERNAL_LOGIN})


class Attacks:
    """`now`: seconds, never stepping back. `tally`: None to look for no attacks. `spared`: addresses
    of primaries, against which nothing is counted.
    """

    def __init__(
        self,
        alarms: StandingAlarms,
        now: Callable[[], float],
        tally: AttackTally | None,
        spared: frozenset[str] = frozenset(),
    ) -> None:
        self._alarms = alarms
        self._now = now
        self._tally = tally
        self._spared = spared
        self._counts: Counter[Attack] = Counter()  # in this window
        self._networks: Counter[str] = Counter()
        self._searching: Counter[tuple[AttackRule, str]] = Counter()
        self._begun: float | None = None  # of the alarm that stands
        self._last = 0.0  # when a window with a burst ended
        self._all: Counter[Attack] = Counter()  # since then
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, caller: Caller) -> SessionWatch | None:
        """The watch of a new session; None if it is not to be watched."""
        return None if self._tally is None or caller.address in self._spared else SessionWatch()

    def count(self, attack: Attack, caller: Caller) -> None:
        if caller.address in self._spared:
            return
        self._begin_window()
        network = caller.link
        if network in self._networks or len(self._networks) < NETWORKS_MAX:
            self._networks[network] += 1
        self._counts[attack] += 1
        if self._counts[attack] == attack.burst:
            self._burst()

    def found(self, caller: Caller, found: AttackFound) -> tuple[AttackFound, ...]:
        """Count an attack. Returns it, with what it makes of those before it."""
        if self._tally is None or caller.address in self._spared:
            return ()
        self._tally.count(caller.address, caller.link, found)
        if found.rule.grade is AttackGrade.EXPLOIT:
            self.count(Attack.EXPLOITS, caller)
        if found.rule in LOGINS and self._is_searching(LOGIN_STORM, caller):
            return found, *self.found(caller, did(LOGIN_STORM, found.sample))
        return (found,)

    def guess(self, caller: Caller, reason: str, recipient: str) -> tuple[AttackFound, ...]:
        """Count a refused recipient whose reason is one of GUESSING."""
        self.count(Attack.GUESSES, caller)
        if reason == NOT_OURS.reason:
            return self.found(caller, did(RELAY_PROBE, recipient.encode()))
        if self._is_searching(GUESSED_RECIPIENTS, caller):
            return self.found(caller, did(GUESSED_RECIPIENTS))
        return ()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_searching(self, rule: AttackRule, caller: Caller) -> bool:
        """Count one more; whether it is the MANYth of its network in this window."""
        self._begin_window()
        key = rule, caller.link
        if key not in self._searching and len(self._searching) >= NETWORKS_MAX:
            return False
        self._searching[key] += 1
        return self._searching[key] == MANY

    def _begin_window(self) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WINDOW_SECONDS, self._end_window)

    def _burst(self) -> None:
        self._last = self._now()
        if self._begun is None:
            self._begun = self._last
            self._all.clear()
        self._alarms.begin(AlarmKind.ATTACKED, "", self._text())

    def _end_window(self) -> None:
        self._timer = None
        if any(many >= attack.burst for attack, many in self._counts.items()):
            self._burst()
        self._all.update(self._counts)
        self._counts.clear()
        self._networks.clear()
        self._searching.clear()
        if self._begun is None:
            return
        quiet = self._now() - self._last
        if quiet < QUIET_SECONDS:
            self._begin_window()
            return
        lasted = age_text(int((self._now() - self._begun) * 1000))
        self._alarms.end(AlarmKind.ATTACKED, "", f"{_counted(self._all)} in the last {lasted}")
        self._begun = None

    def _text(self) -> str:
        worst = ", ".join(
            f"{network} ({many:,})" for network, many in self._networks.most_common(NETWORKS_SHOWN)
        )
        minutes = int(WINDOW_SECONDS / 60)
        return f"{_counted(self._counts)} in {minutes} minutes, most of them from {worst}"


def _counted(counts: Counter[Attack]) -> str:
    return ", ".join(f"{counts[attack]:,} {attack.words}" for attack in Attack if counts[attack] > 0)
