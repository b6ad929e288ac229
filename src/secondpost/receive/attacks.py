"""Notices bursts of what attackers do, and alarms the owner once for the whole server.

Only refusals and faults are counted, so that mail costs nothing. They are counted in windows of ten
minutes. Networks stand only in the text of the alarm: attackers choose them.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from enum import Enum

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import age_text
from secondpost.mail.standing_alarms import StandingAlarms

WINDOW_SECONDS = 600.0
QUIET_SECONDS = 3_600.0  # without a burst, then the attack is over
NETWORKS_MAX = 2_000  # counted by themselves in a window
NETWORKS_SHOWN = 3


class Attack(Enum):
    """What is counted, its words, and how many in a window are a burst.

    A server on the internet sees each of them every day; these are ten times a usual day's worth,
    in ten minutes.
    """

    FAULTS = ("protocol faults", 300)
    GUESSES = ("recipients that do not exist or are not ours", 500)
    FLOOD = ("connections turned away", 1_000)

    def __init__(self, words: str, burst: int) -> None:
        self.words = words
        self.burst = burst


# Reasons of refused recipients: dictionary attacks, and the search for open relays.
GUESSING = frozenset({"unknown-recipient", "unverified-rate", "not-ours"})


class Attacks:
    """`now`: seconds, never stepping back."""

    def __init__(self, alarms: StandingAlarms, now: Callable[[], float]) -> None:
        self._alarms = alarms
        self._now = now
        self._counts: Counter[Attack] = Counter()  # in this window
        self._networks: Counter[str] = Counter()
        self._begun: float | None = None  # of the alarm that stands
        self._last = 0.0  # when a window with a burst ended
        self._all: Counter[Attack] = Counter()  # since then
        self._timer: asyncio.TimerHandle | None = None

    def count(self, attack: Attack, network: str) -> None:
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WINDOW_SECONDS, self._end_window)
        if network in self._networks or len(self._networks) < NETWORKS_MAX:
            self._networks[network] += 1
        self._counts[attack] += 1
        if self._counts[attack] == attack.burst:
            self._burst()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

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
        if self._begun is None:
            return
        quiet = self._now() - self._last
        if quiet < QUIET_SECONDS:
            self._timer = asyncio.get_running_loop().call_later(WINDOW_SECONDS, self._end_window)
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
