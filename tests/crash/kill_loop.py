"""kill -9 at random moments for a given time; in the end the ledger must balance.

  python -m tests.crash.kill_loop --seconds 60

The real service, a steady stream of mail from several clients, and a primary that accepts
everything; now and then the receiver, the deliverer or the supervisor is killed. No acknowledged
message may be missing, none invented, and each duplicate has its `maybe-duplicate`.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from secondpost.mail.queue_id import QueueId, queue_id_text
from simulation.dice import SimDice
from tests.crash.ledger import Ledger
from tests.crash.postoffice import RECIPIENT, PostOffice, Victim
from tests.crash.sender import Sender
from tests.crash.sink import Sink

CLIENTS = 6
BETWEEN_KILLS_SECONDS = (0.2, 1.5)
EACH_SECONDS_MAX = 30.0
DRAIN_SECONDS_MAX = 60.0
QUIET_SECONDS = 2.0  # without arrivals at the sink, after which no more are expected


@dataclass(frozen=True, slots=True)
class Report:
    acknowledged: int
    duplicates: int
    kills: Counter[Victim]
    exit_code: int
    faults: tuple[str, ...]

    def line(self) -> str:
        kills = {victim.value: count for victim, count in self.kills.items()}
        return json.dumps(
            {
                "acknowledged": self.acknowledged,
                "duplicates": self.duplicates,
                "kills": kills,
                "exit_code": self.exit_code,
                "faults": self.faults,
            }
        )


async def run_kill_loop(folder: Path, seconds: float, seed: str) -> Report:
    ledger = Ledger()
    sink = Sink(ledger)
    await sink.open()
    office = PostOffice(folder, sink.port)
    try:
        await asyncio.to_thread(office.start)
        senders = [
            Sender(f"c{number}", office.port, ledger, SimDice(f"{seed}/{number}"), RECIPIENT)
            for number in range(CLIENTS)
        ]
        running = [asyncio.create_task(sender.run()) for sender in senders]
        kills = await _kill(office, seconds, SimDice(f"{seed}/kills"))
        for sender in senders:
            sender.stopping = True
        await asyncio.wait_for(asyncio.gather(*running), DRAIN_SECONDS_MAX)
        # A role killed often is restarted with growing pauses: a new supervisor resets them.
        await asyncio.to_thread(office.kill, Victim.SUPERVISOR)
        await asyncio.to_thread(office.start)
        await _drained(ledger, sink)
        exit_code = await asyncio.to_thread(office.stop)
    finally:
        office.end()
        sink.close()
    for line in office.log.read_text(errors="replace").splitlines():
        ledger.read_log(line)
    _read_trace(office, ledger)
    return Report(len(ledger.acknowledged), ledger.duplicates, kills, exit_code, tuple(ledger.faults()))


async def _kill(office: PostOffice, seconds: float, dice: SimDice) -> Counter[Victim]:
    """For the given time, and until each was killed once: a role may be down at its turn."""
    kills: Counter[Victim] = Counter()
    end = time.monotonic() + seconds
    latest = end + EACH_SECONDS_MAX
    while time.monotonic() < end or (len(kills) < len(Victim) and time.monotonic() < latest):
        await asyncio.sleep(dice.between(*BETWEEN_KILLS_SECONDS))
        never = [victim for victim in Victim if victim not in kills]
        victim = dice.one_of(never if time.monotonic() >= end and len(never) > 0 else tuple(Victim))
        if await asyncio.to_thread(office.kill, victim):
            kills[victim] += 1
        if victim is Victim.SUPERVISOR:
            await asyncio.to_thread(office.start)
    return kills


async def _drained(ledger: Ledger, sink: Sink) -> None:
    """Wait until all mail is at the sink and it is quiet, or some is clearly missing."""
    end = time.monotonic() + DRAIN_SECONDS_MAX
    while time.monotonic() < end:
        seen = sink.messages
        await asyncio.sleep(QUIET_SECONDS)
        if len(ledger.missing) == 0 and sink.messages == seen:
            return


def _read_trace(office: PostOffice, ledger: Ledger) -> None:
    """A deliverer may die between recording claimed rows and logging them: ask the store."""
    for queue_ids in ledger.arrivals.values():
        for queue_id, times in Counter(queue_ids).items():
            if times > 1 + ledger.excused[queue_id]:
                ledger.excused[queue_id] = max(ledger.excused[queue_id], _found_claimed(office, queue_id))


def _found_claimed(office: PostOffice, queue_id: QueueId) -> int:
    """How often the message was found claimed by a dead worker."""
    document = office.command("trace", queue_id_text(queue_id), "--json")
    return document.count("maybe-duplicate")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", default=str(time.time_ns()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    with TemporaryDirectory(prefix="secondpost-kill-") as path, suppress(KeyboardInterrupt):
        report = asyncio.run(run_kill_loop(Path(path), arguments.seconds, arguments.seed))
        print(report.line())
        if len(report.faults) == 0 and report.exit_code == 0:
            return 0
        print((Path(path) / "log").read_text(errors="replace")[-20_000:], file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
