"""Ordinary days in the small internet, and then a block of each network after the other, each in its own
way.

    unshare --net --mount --pid --fork --kill-child --mount-proc \
        python -m tests.against.t16_blocks.days FOLDER

FOLDER is an empty one. The result is FOLDER/result.json.
"""

import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from email import message_from_bytes
from pathlib import Path
from typing import Final

import msgspec

from secondpost.mail.alarm import AlarmKind
from secondpost.watch.blocks import WINDOWS_HOURS
from tests.against.sending import until
from tests.against.t16_blocks.internet import OUR_HOST, PRIMARY_HOST, Internet
from tests.against.t16_blocks.networks import NETWORKS, Network

WINDOW, KNOWN = WINDOWS_HOURS[1]
LEARNED_HOURS: Final = WINDOW + WINDOW + KNOWN
ARRIVAL_SECONDS_MAX: Final = 30.0
VERDICT_SECONDS_MAX: Final = 90.0
FAILURE: Final = re.compile(rf"connect to {re.escape(PRIMARY_HOST)}\[([0-9.]+\]:25: .+)")
BURST: Final = 4  # mails of the blocked network between two looks at the alarms


@dataclass(frozen=True, slots=True)
class Alarm:
    """The part of `alarms list --json` that is of interest here."""

    kind: str
    subject: str
    detail: str
    how: str


@dataclass(frozen=True, slots=True)
class AlarmList:
    standing: list[Alarm]
    ended: list[Alarm]

    def of_blocks(self) -> "AlarmList":
        standing, ended = (
            [one for one in some if one.kind == AlarmKind.PRIMARY_BLOCKED.word]
            for some in (self.standing, self.ended)
        )
        return AlarmList(standing, ended)


@dataclass(slots=True)
class Block:
    """What was seen of one."""

    found: AlarmList  # when an alarm stood first
    blocked: list[str]  # networks in `watch arrivals` then
    at_the_end: AlarmList  # of the block
    over: AlarmList  # when no alarm stood any more
    came_round: dict[str, int]  # mails that passed us, by the network that they came from
    came_directly: dict[str, int]
    failures: dict[str, int]  # what the network's server says of its connections to the primary


@dataclass(slots=True)
class Result:
    before: AlarmList = field(default_factory=lambda: AlarmList([], []))  # after the ordinary days
    blocks: dict[str, Block] = field(default_factory=dict)
    submitted: list[str] = field(default_factory=list)  # subjects
    stored: list[str] = field(default_factory=list)  # those in the primary's mailbox, at the end
    seconds: dict[str, float] = field(default_factory=dict)  # from the start to the end of each part


@dataclass(frozen=True, slots=True)
class Stored:
    """A mail in the primary's mailbox."""

    subject: str
    passed_us: bool


class Days:
    def __init__(self, folder: Path) -> None:
        self.internet = Internet(folder)
        self.result = Result()
        self._began = time.monotonic()
        self._last_seen = AlarmList([], [])

    def play(self) -> None:
        with self.internet.open():
            self._ends("start")
            self._ordinary()
            self.result.before = self._alarms()
            self._ends("ordinary")
            for network in NETWORKS:
                self.result.blocks[network.way] = self._block(network)
                self._ends(network.way)
            self._settle()
            self.result.stored = [mail.subject for mail in self._stored()]

    def _ends(self, part: str) -> None:
        self.result.seconds[part] = round(time.monotonic() - self._began, 1)

    def _ordinary(self) -> None:
        """From each network a mail strays here once, by a mishap on its way; else all goes to the primary."""
        for network in NETWORKS:
            self._settle()
            with self.internet.blocked(network):
                self._write(network, 1)
                self._settle()
            self._write_all()
        self._write_on_until(lambda: self._watched_hours() >= LEARNED_HOURS)

    def _block(self, network: Network) -> Block:
        self._settle()  # a conversation that is cut in its last moment may leave the same mail twice
        before = len(self.result.submitted)
        with self.internet.blocked(network):
            self._write_on_until(lambda: len(self._alarms().standing) > 0, network)
            found, blocked = self._last_seen, self._blocked_networks()
            self._write_all(network)
            self._settle()
            at_the_end = self._alarms()
        mails = [mail for mail in self._stored() if mail.subject in self.result.submitted[before:]]
        self._write_on_until(lambda: len(self._alarms().standing) == 0)
        return Block(
            found,
            blocked,
            at_the_end,
            self._last_seen,
            _by_network(mail for mail in mails if mail.passed_us),
            _by_network(mail for mail in mails if not mail.passed_us),
            dict(Counter(FAILURE.findall(self.internet.senders[network.way].log.read_text()))),
        )

    def _write_on_until(self, condition: Callable[[], bool], busy: Network | None = None) -> None:
        ends = time.monotonic() + VERDICT_SECONDS_MAX
        while not condition():
            assert time.monotonic() < ends, f"{self._last_seen}\n{self._run('watch', 'arrivals')}"
            self._write_all(busy)

    def _write_all(self, busy: Network | None = None) -> None:
        """A mail from each network, and more from a busy one."""
        for network in NETWORKS:
            self._write(network, BURST if network is busy else 1)

    def _write(self, network: Network, mails: int) -> None:
        submitted = self.result.submitted
        for _ in range(mails):
            author = network.authors[len(submitted) % len(network.authors)]
            submitted.append(f"{network.way} {len(submitted)}")
            self.internet.submit(network, author, submitted[-1])

    def _settle(self) -> None:
        """Wait until all that was written is in the primary's mailbox."""
        senders, submitted = self.internet.senders.values(), self.result.submitted
        until(
            lambda: len(self._stored()) >= len(submitted) and all(it.queued() == 0 for it in senders),
            ARRIVAL_SECONDS_MAX,
            self.internet.trouble,
        )

    def _stored(self) -> list[Stored]:
        """Those of the senders, without what Secondpost writes to its owner."""
        files = sorted((self.internet.primary.maildir / "new").iterdir())
        mails = [message_from_bytes(file.read_bytes()) for file in files]
        return [
            Stored(mail["Subject"], any(f"by {OUR_HOST}" in line for line in mail.get_all("Received", ())))
            for mail in mails
            if mail["From"].startswith("someone@")
        ]

    def _run(self, *command: str) -> str:
        return self.internet.ours.run(*command)

    def _alarms(self) -> AlarmList:
        """Those of blocks."""
        self._last_seen = msgspec.json.decode(
            self._run("alarms", "list", "--json"), type=AlarmList
        ).of_blocks()
        return self._last_seen

    def _watched_hours(self) -> int:
        hours: int = json.loads(self._run("watch", "arrivals", "--json"))["hours"]
        return hours

    def _blocked_networks(self) -> list[str]:
        found = json.loads(self._run("watch", "arrivals", "--json"))["networks"]
        return [one["network"] for one in found if one["blocked"] is not None]


def _by_network(mails: Iterable[Stored]) -> dict[str, int]:
    return dict(Counter(mail.subject.split()[0] for mail in mails))


def main(arguments: list[str]) -> int:
    [folder] = (Path(each) for each in arguments)
    days = Days(folder)
    try:
        days.play()
    finally:
        (folder / "result.json").write_bytes(msgspec.json.encode(days.result))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
