"""kill -9 repeatedly while an issue is sent, held and stopped; in the end every reader is accounted for.

  python -m tests.crash.fanout_kill --readers 20000

The real service makes the issue by itself from a blog. It is killed while it freezes, and then at
random moments: the deliverer alone, a process that makes mails for it, the publisher alone, or all
at once. In between the owner holds the issue, and lets it go on after another kill: nothing of it is
sent meanwhile. A second issue, to fewer readers, is stopped. Each reader gets the issue at most once.
Deliveries with an uncertain outcome are `unknown`, at most as many as connections were open at the
kills, and the reckoning adds up.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from secondpost.config.records import Deliver
from simulation.dice import SimDice
from tests.crash.fanout_judging import faults_of, states_of_readers
from tests.crash.postoffice import changed
from tests.crash.readers_sink import ReadersSink, readers_sink
from tests.newsletter.writing import atom
from tests.service.newsroom import EVERYTHING, Newsroom
from tests.world.web_server import WebServer, answer

OWNER = "me@elsewhere.example"  # hears of the roles that are killed

READERS = 20_000
KILLS = 9
HOLD_EACH_KILLS = 3  # the issue is held and goes on after each third kill
STOPPED_SHARE = 0.2  # readers of the issue that is stopped, of those of the other one
STOPPED_BETWEEN = (0.3, 0.7)  # share of readers served when the command to stop it is typed
STOPPED_SECONDS = 15  # that it would take at least, so that the command comes before its end
DOMAINS = 50
STEP_SECONDS_MAX = 60.0  # for anything that must happen
LOOK_SECONDS = 0.005
FREEZE_IS_SEEN_READERS = 10_000  # a smaller issue is frozen too quickly to be interrupted
MAKERS_ARE_SEEN_READERS = 10_000  # a smaller issue is signed without signing processes
LAST_KILL_AT = 0.85  # share of readers served; later than that the end may come first
MAKERS_COME_WITHIN_MAILS = 3_000  # if the fan-out is not slowed down
MAKERS_COME_BEFORE = 0.9  # share of readers served
WEEKLY = "weekly"


class Killed(StrEnum):
    DELIVER = "deliver"
    PUBLISH = "publish"
    MAKER = "maker"
    ALL = "all"


HELD_TURNS = (Killed.DELIVER, None, Killed.ALL)  # who is killed while the issue is held
TURNS = (Killed.DELIVER, Killed.ALL, Killed.MAKER, Killed.DELIVER, Killed.PUBLISH)


@dataclass(frozen=True, slots=True)
class Report:
    """`open_max`: the most connections that can have been open when the deliverer was killed."""

    readers: int
    kills: dict[str, int]
    kills_while_freezing: int
    holds: int
    sent_while_held: int
    accepted: int
    delivered: int
    stopped: int
    unknown: int
    unknown_and_accepted: int
    open_max: int
    exit_code: int
    seconds: float
    faults: tuple[str, ...]


class FanOut:
    def __init__(self, room: Newsroom, sink: ReadersSink, readers: int, dice: SimDice) -> None:
        self._room = room
        self._sink = sink
        self._readers = readers
        self._dice = dice
        self.kills: Counter[Killed] = Counter()
        self.kills_while_freezing = 0
        self.holds = 0
        self.sent_while_held = 0
        self.is_stopped = False

    def kill_while_freezing(self) -> None:
        """Kill the publisher when part of the rows is written; the next leader starts anew."""
        wait_until("rows are written", lambda: self._rows() > 0)
        self._kill(Killed.PUBLISH)
        self.kills_while_freezing += self._is_freezing()

    def kill_while_sending(self, times: int) -> None:
        """Kill at random moments spread over the fan-out."""
        turns = [
            turn for turn in TURNS if turn is not Killed.MAKER or self._readers >= MAKERS_ARE_SEEN_READERS
        ]
        places = sorted(int(self._dice.between(0, self._readers * LAST_KILL_AT)) for _ in range(times))
        for number, place in enumerate(places):
            wait_until(f"{place} mails are out", partial(self._has_served, place))
            # Mostly the deliverer, which can do harm; sometimes all at once.
            self._kill(self._killable(turns[number % len(turns)]))
            if number % HOLD_EACH_KILLS == HOLD_EACH_KILLS - 2:
                self._hold_and_resume(HELD_TURNS[self.holds % len(HELD_TURNS)])
            wait_until("it goes on", partial(self._has_served, self._sink.count() + 1))

    def _hold_and_resume(self, killed: Killed | None) -> None:
        """Hold the issue, kill `killed` (None: no process), and resume it."""
        self._room.json_of("issue", "hold", WEEKLY, "1")
        wait_until("nothing is under way", lambda: not self._is_under_way())
        before = self._sink.count()
        if killed is not None:
            self._kill(killed)
            wait_until("it runs again", lambda: {"deliver", "publish"} <= self._room.processes().keys())
        assert self._room.json_of("issue", "status", WEEKLY)["state"] == "held"
        self.sent_while_held += self._sink.count() - before
        self.holds += 1
        self._room.json_of("issue", "resume", WEEKLY, "1")

    def stop(self) -> None:
        """Stop the issue at a random moment."""
        begin, end = STOPPED_BETWEEN
        mails = int(self._dice.between(self._readers * begin, self._readers * end))
        wait_until(f"{mails} mails are out", partial(self._has_served, mails))
        self._room.json_of("issue", "stop", WEEKLY, "1", "--yes")
        self.is_stopped = True

    def _is_under_way(self) -> bool:
        return self._room.rows("SELECT 1 FROM delivery WHERE fence IS NOT NULL LIMIT 1") != []

    def _has_served(self, mails: int) -> bool:
        return self._sink.count() >= mails

    def _killable(self, killed: Killed) -> Killed:
        """The deliverer instead of a maker that does not come.

        It has makers only while making falls behind, and on a loaded machine the sink may be the
        slow part.
        """
        if killed is not Killed.MAKER:
            return killed
        latest = int(min(self._sink.count() + MAKERS_COME_WITHIN_MAILS, MAKERS_COME_BEFORE * self._readers))
        wait_until("mails are made apart", lambda: self._has_makers() or self._has_served(latest))
        return Killed.MAKER if self._has_makers() else Killed.DELIVER

    def _has_makers(self) -> bool:
        return len(self._room.makers()) > 0

    def _kill(self, killed: Killed) -> None:
        if killed is Killed.ALL:
            self._room.kill_all()
            self._room.start()
        elif killed is Killed.MAKER:
            os.kill(self._room.makers()[0], signal.SIGKILL)
        else:
            wait_until(f"{killed} runs", lambda: killed in self._room.processes())
            os.kill(self._room.processes()[killed], signal.SIGKILL)
        self.kills[killed] += 1

    def finish(self) -> None:
        if self.is_stopped:
            wait_until("nothing is under way", lambda: not self._is_under_way() and not self._waits())
        else:
            wait_until("the issue is done", lambda: self._room.is_done(WEEKLY, 1))

    def _waits(self) -> bool:
        query = "SELECT 1 FROM delivery WHERE issue = 1 AND state IN ('frozen', 'waiting', 'held') LIMIT 1"
        return self._room.rows(query) != []

    def _is_freezing(self) -> bool:
        return self._room.rows("SELECT 1 FROM issue WHERE state = 'freezing'") != []

    def _rows(self) -> int:
        [(rows,)] = self._room.rows("SELECT count(*) FROM delivery WHERE issue IS NOT NULL")
        assert isinstance(rows, int)
        return rows


def wait_until(what: str, is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + STEP_SECONDS_MAX
    while not is_so():
        assert time.monotonic() < end, f"after {STEP_SECONDS_MAX:g} s it is not so that {what}"
        time.sleep(LOOK_SECONDS)


def run_fanout_kill(folder: Path, readers: int, kills: int, seed: str, *, stopped: bool = False) -> Report:
    """With `stopped`, the owner stops the issue after the kills."""
    begun = time.monotonic()
    addresses = [f"reader{n}@d{n % DOMAINS}.example" for n in range(readers)]
    pages: dict[str, bytes | None] = {f"/{WEEKLY}": answer("200 OK", atom((1, 2)))}
    with readers_sink() as sink, WebServer(pages).in_a_thread() as blog:
        room = Newsroom(folder, blog, sink.port, {WEEKLY: EVERYTHING})
        try:
            room.have_readers({WEEKLY: addresses})
            if stopped:
                pace = f'unverified = true\nrate = "{readers // STOPPED_SECONDS} a second"'
                changed(room, ("unverified = true", pace))
            room.start()
            fanout = FanOut(room, sink, readers, SimDice(seed))
            if readers >= FREEZE_IS_SEEN_READERS:
                fanout.kill_while_freezing()
            fanout.kill_while_sending(kills)
            if stopped:
                fanout.stop()
            fanout.finish()
            status = room.json_of("issue", "status", WEEKLY)
            exit_code = room.stop()
        finally:
            room.end()
        taken = [one for one in sink.taken() if one.recipient != OWNER]
    states = states_of_readers(room)
    missed_the_freeze = readers >= FREEZE_IS_SEEN_READERS and fanout.kills_while_freezing == 0
    open_max = Deliver().connections_per_site * (fanout.kills[Killed.DELIVER] + fanout.kills[Killed.ALL])
    counts = Counter(states.values())
    accepted = {one.recipient for one in taken}
    unknown = {address for address, state in states.items() if state == "unknown"}
    return Report(
        readers=readers,
        kills={killed.value: times for killed, times in fanout.kills.items()},
        kills_while_freezing=fanout.kills_while_freezing,
        holds=fanout.holds,
        sent_while_held=fanout.sent_while_held,
        accepted=len(taken),
        delivered=counts["delivered"],
        stopped=counts["stopped"],
        unknown=counts["unknown"],
        unknown_and_accepted=len(unknown & accepted),
        open_max=open_max,
        exit_code=exit_code,
        seconds=round(time.monotonic() - begun, 1),
        faults=(
            *faults_of(addresses, taken, states, status, open_max, stopped=stopped),
            *(["mails were sent while it was held"] if fanout.sent_while_held > 0 else []),
            *(["it was not killed while it froze"] if missed_the_freeze else []),
        ),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--kills", type=int, default=KILLS, help="while it is sent")
    parser.add_argument("--seed", default=str(time.time_ns()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    for stopped in (False, True):
        readers = int(arguments.readers * (STOPPED_SHARE if stopped else 1))
        kills = 2 if stopped else arguments.kills
        with TemporaryDirectory(prefix="secondpost-fanout-") as path:
            report = run_fanout_kill(Path(path), readers, kills, arguments.seed, stopped=stopped)
            print(json.dumps(asdict(report)), flush=True)
            if len(report.faults) > 0 or report.exit_code != 0:
                print((Path(path) / "log").read_text(errors="replace")[-20_000:], file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
