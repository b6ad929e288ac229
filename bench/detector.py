"""What the search for attacks costs: CPU time of the receive role with it against without it.

In each round both receive the same mail in many short turns (with, without, without, with), each with a
store of its own, so that what else happens on the machine falls on both. The line says the mean loss of
all rounds, and how high it may be.
"""

import math
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean, median, stdev
from typing import Final

from bench import measure
from bench.figures import RECIPIENT, SENDER, Figure, Mode, Work
from bench.load import Load, LoadTools
from bench.ours import Secondpost
from bench.ready import free_port

ROUNDS_MIN: Final = 15
STUDENT_T: Final = 1.77  # one-sided 95 % for 14 rounds; for more it is a little less
TURNS: Final = 10  # in a round
REST_SECONDS: Final = 0.05  # after the last reply, until its connections have ended
SETTLE_MESSAGES: Final = 200  # first, so that nothing is measured that happens once
HEADER: Final = b"""\
Received: from mail-out.sender.example (mail-out.sender.example [192.0.2.25])
\tby mx1.sender.example (Postfix) with ESMTPS id 4XyZ1234567
\tfor <reader@backup.example>; Mon, 02 Nov 2026 10:15:30 +0100 (CET)
Received: by mail-out.sender.example with SMTP id 4XyZ7654321;
\tMon, 02 Nov 2026 10:15:29 +0100 (CET)
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=sender.example; s=s2026;
\tt=1793610929; h=from:to:subject:date:message-id:mime-version:content-type;
\tbh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;
\tb=Kk3pQ0m1nJvX7yqvT0H5r6uQ2sWb8cZ1fLdA9eGxYiRoPtUvMwNhJkBlCqDsEaFg
\t 7yqvT0H5r6uQ2sWb8cZ1fLdA9eGxYiRoPtUvMwNhJkBlCqDsEaFgKk3pQ0m1nJvX==
From: Some One <someone@sender.example>
To: A Reader <reader@backup.example>
Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe_aus_Wien?= and a word more
Date: Mon, 02 Nov 2026 10:15:28 +0100
Message-ID: <20261102101528.4XyZ7654321@sender.example>
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit
List-Unsubscribe: <https://sender.example/u?id=12345&k=abcdef>
X-Mailer: Some Mailer 7.1 (https://mailer.example)

"""


@dataclass(slots=True)
class Receiver(Secondpost):
    """The receive role alone, in one process."""

    watches: bool = True

    def command(self, *arguments: str) -> Sequence[str]:
        options = () if self.watches else ("--unwatched",)
        return [sys.executable, "-m", "bench.receiver", str(self.config), *options]


@dataclass(frozen=True, slots=True)
class DetectorBench:
    tools: LoadTools
    spools: dict[str, Path]
    rounds: int
    short: bool

    def measure(self, figure: Figure) -> dict[str, object]:
        rounds = self.rounds if self.short else max(self.rounds, ROUNDS_MIN)
        message = self.tools.folder / "message"
        message.write_bytes(_message(figure.size))
        load = replace(figure.load(self.short), message=message)
        measured = [self._round(figure, load, turn) for turn in range(rounds)]
        losses = [watched / unwatched - 1 for watched, unwatched in measured]
        error = stdev(losses) / math.sqrt(len(losses)) if len(losses) > 1 else math.inf
        line: dict[str, object] = {
            "figure": figure.work.value,
            "size": figure.size,
            "mode": figure.mode.value,
            "spool": figure.spool,
            "rounds": rounds,
            "cpu_with": round(median(watched for watched, _ in measured), 3),
            "cpu_without": round(median(unwatched for _, unwatched in measured), 3),
            "loss": round(fmean(losses), 4),
            "loss_upper": round(fmean(losses) + STUDENT_T * error, 4),
        }
        return line

    def _round(self, figure: Figure, load: Load, turn: int) -> tuple[float, float]:
        """CPU seconds per 10,000 messages, with and without."""
        folder = Path(tempfile.mkdtemp(prefix="detector-", dir=self.spools[figure.spool]))
        try:
            with (
                self._receiver(folder / "with", True) as one,
                self._receiver(folder / "without", False) as two,
            ):
                both = (one, two) if turn % 2 == 0 else (two, one)
                for each in both:
                    self._cpu(each, replace(load, messages=SETTLE_MESSAGES))
                spent = {one.port: 0.0, two.port: 0.0}
                small = replace(load, messages=load.messages // TURNS)
                for _ in range(TURNS):
                    for each in (*both, *reversed(both)):
                        spent[each.port] += self._cpu(each, small)
                found = (spent[one.port], spent[two.port])
        finally:
            shutil.rmtree(folder)
        watched, unwatched = (10_000 * seconds / (2 * load.messages) for seconds in found)
        print(f"detector: {watched:.3f} s with, {unwatched:.3f} s without", file=sys.stderr)
        return watched, unwatched

    def _receiver(self, folder: Path, watches: bool) -> Receiver:
        # Not at the address of the load tool: primaries are not searched for attacks. Authentication asks
        # the deliver role, which is not there.
        off = 'authenticate = "off"'
        return Receiver(
            folder, free_port(), free_port(), more=off, primary_address="127.0.0.2", watches=watches
        )

    def _cpu(self, receiver: Receiver, load: Load) -> float:
        before = measure.cpu_seconds(receiver.pid)
        self.tools.send(load, receiver.port, SENDER, RECIPIENT)
        time.sleep(REST_SECONDS)
        return measure.cpu_seconds(receiver.pid) - before


def _message(size: int) -> bytes:
    line = b"A line of an ordinary mail, as people write them to each other, again.\n"
    return HEADER + line * ((size - len(HEADER)) // len(line))


def grid(short: bool) -> Iterator[Figure]:
    yield Figure(Work.DETECTOR, 4096, Mode.KEPT_OPEN, "tmpfs")
    if not short:
        yield Figure(Work.DETECTOR, 4096, Mode.PER_CONNECTION, "tmpfs")
