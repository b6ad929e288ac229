"""A long list of readers is imported and an issue to all of them frozen, while mail is accepted.

Measured: the command's time against that of the store alone, its memory for a short and a long
list, the longest time that a process held the write lock of a database, and the effect on SMTP
clients and on readers who look themselves up and unsubscribe meanwhile.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from bench import measure
from bench.callers import Callers
from bench.fanout import rounds_told
from bench.figures import (
    OTHERS_SHARE_MAX,
    RECIPIENT,
    SENDER,
    STEAL_SHARE_MAX,
    Figure,
    Mode,
    Work,
    good_rounds,
)
from bench.load import LoadFailed
from bench.newsletter import Blog, Crowd, configuration, domain_name, write_readers
from bench.observe.sitecustomize import FOLDER
from bench.ours import Secondpost
from bench.page_readers import PageReaders
from bench.ready import free_port
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.subscriber import Consent, SubscriberState
from secondpost.protocols.tokens import Ring
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, Imported
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.keys import load_key_ring
from secondpost.world.real.work import RealWork

OBSERVE: Final = Path(__file__).resolve().parent / "observe"
CROWD: Final = Crowd(100, have_servers_of_their_own=False)
DOMAINS: Final = CROWD.domains
ACCEPTED_OCTETS: Final = 4096
SHORT_LIST_SHARE: Final = 20
LOOK_SECONDS: Final = 0.02
# At fifty messages a second without other load; a slower disk stalls by itself, under our lock too.
IDLE_P99_SECONDS_MAX: Final = 0.05


@dataclass(frozen=True, slots=True)
class Done:
    """A finished command: its duration and peak memory."""

    seconds: float
    rss: float  # megabytes


@dataclass(frozen=True, slots=True)
class ImportSample:
    short: Done  # a list of a twentieth of the length
    long: Done
    store_seconds: float  # the store alone, for as many readers as the long list has
    freeze: Done
    pss: tuple[float, float]  # of the service, megabytes: before, and peak
    lock_ms: float
    rates: tuple[float, float]  # messages accepted per second: idle, and during the import
    p99s: tuple[float, float]  # milliseconds from MAIL to the last 250
    page_p99s: tuple[float, float]  # milliseconds of a look-up and an unsubscription, during the import
    largest: float  # peak memory of the largest process of the service, megabytes
    steal: float
    others: float

    @property
    def is_disturbed(self) -> bool:
        is_slow = self.p99s[0] > IDLE_P99_SECONDS_MAX * 1000
        return is_slow or self.steal > STEAL_SHARE_MAX or self.others > OTHERS_SHARE_MAX


@dataclass(frozen=True, slots=True)
class ImportBench:
    spools: dict[str, Path]
    rounds: int
    short: bool
    readers: int | None  # of the long list; None: the usual number

    def measure(self, figure: Figure) -> dict[str, object]:
        good, thrown_out = good_rounds(
            self.rounds, lambda _turn: self._import(figure), lambda one: one.is_disturbed
        )

        def middle(values: Iterator[float], digits: int) -> float:
            return round(median(values), digits)

        return {
            "figure": figure.work.value,
            "size": figure.size,
            "mode": figure.mode.value,
            "spool": figure.spool,
            "readers": self._readers,
            "import_seconds": middle((one.long.seconds for one in good), 2),
            "store_seconds": middle((one.store_seconds for one in good), 2),
            "ratio": middle((one.store_seconds / one.long.seconds for one in good), 2),
            "freeze_seconds": middle((one.freeze.seconds for one in good), 2),
            "rss_short_list": round(max(one.short.rss for one in good)),
            "rss_import": round(max(one.long.rss for one in good)),
            "rss_freeze": round(max(one.freeze.rss for one in good)),
            "rss_growth": middle((one.long.rss / one.short.rss for one in good), 2),
            "pss_before": round(max(one.pss[0] for one in good)),
            "pss_peak": round(max(one.pss[1] for one in good)),
            "rss_largest": round(max(one.largest for one in good)),
            "lock_ms": round(max(one.lock_ms for one in good), 1),
            "accept_idle": middle((one.rates[0] for one in good), 1),
            "accept_beside": middle((one.rates[1] for one in good), 1),
            "accept_ratio": middle((one.rates[1] / one.rates[0] for one in good), 2),
            "p99_ms_idle": middle((one.p99s[0] for one in good), 1),
            "p99_ms_beside": middle((one.p99s[1] for one in good), 1),
            "look_p99_ms": middle((one.page_p99s[0] for one in good), 1),
            "leave_p99_ms": middle((one.page_p99s[1] for one in good), 1),
            **rounds_told(good, thrown_out),
        }

    @property
    def _readers(self) -> int:
        if self.readers is not None:
            return self.readers
        return 10_000 if self.short else 200_000

    def _import(self, figure: Figure) -> ImportSample:
        folder = Path(tempfile.mkdtemp(prefix="import-", dir=self.spools[figure.spool]))
        holds = folder / "holds"
        holds.mkdir()
        observed = {FOLDER: str(holds), "PYTHONPATH": str(OBSERVE)}
        web_port = free_port()
        try:
            with (
                Blog() as blog,
                Secondpost(
                    folder,
                    free_port(),
                    free_port(),
                    configuration(blog.url, web_port, free_port(), CROWD),
                    observed,
                ) as server,
            ):
                return self._measured(figure, folder, holds, server, web_port)
        finally:
            shutil.rmtree(folder)

    def _measured(
        self, figure: Figure, folder: Path, holds: Path, server: Secondpost, web_port: int
    ) -> ImportSample:
        some = self._readers // SHORT_LIST_SHARE
        short_list, long_list = folder / "short.csv", folder / "long.csv"
        write_readers(short_list, some, DOMAINS)
        write_readers(long_list, self._readers, DOMAINS)
        known, machine = measure.cpu_seconds(os.getpid()), measure.MachineTime.now()
        short = imported(server, short_list)
        measure.settle(server.pid)
        pss = measure.pss_megabytes(server.pid)
        memory = measure.PeakMemory(server.pid)
        with Callers(server.port, SENDER, RECIPIENT, ACCEPTED_OCTETS) as idle:
            time.sleep(1.0 if self.short else 10.0)
        links = load_key_ring(str(server.folder / "store"), Ring.LINKS)
        with (
            Callers(server.port, SENDER, RECIPIENT, ACCEPTED_OCTETS) as beside,
            PageReaders(web_port, links, first=1) as pages,
        ):
            long = run_measured(
                server, "subscribers", "import", str(long_list), "--confirmed", "in the bench"
            )
            freeze = run_measured(server, "issue", "send")
        peak = memory.megabytes()
        largest = max(measure.peak_rss_megabytes(pid) for pid in measure.tree(server.pid))
        measure.settle(server.pid)  # every row was released
        store_seconds = asyncio.run(store_alone(folder / "alone", self._readers))
        after, known = measure.MachineTime.now(), measure.cpu_seconds(os.getpid()) - known
        sample = ImportSample(
            short=short,
            long=long,
            store_seconds=store_seconds,
            freeze=freeze,
            pss=(pss, peak),
            lock_ms=longest_ms(holds),
            rates=(idle.rate, beside.rate),
            p99s=(idle.p99 * 1000, beside.p99 * 1000),
            page_p99s=(pages.p99s[0] * 1000, pages.p99s[1] * 1000),
            largest=largest,
            steal=after.stolen_since(machine),
            others=after.others_since(machine, known),
        )
        print(
            f"{figure.work} {figure.spool}: {self._readers} in {long.seconds:.1f} s, the store alone "
            f"{store_seconds:.1f} s, frozen in {freeze.seconds:.1f} s, lock {sample.lock_ms:.1f} ms, "
            f"accept p99 {sample.p99s[0]:.1f} and {sample.p99s[1]:.1f} ms, {pages.left} left: "
            f"{sample.page_p99s[0]:.1f} to look, {sample.page_p99s[1]:.1f} ms to leave; "
            f"steal {sample.steal:.1%}, others {sample.others:.1%}",
            file=sys.stderr,
        )
        return sample


def grid(short: bool) -> Iterator[Figure]:
    for spool in ("disk",) if short else ("disk", "tmpfs"):
        yield Figure(Work.IMPORT, ACCEPTED_OCTETS, Mode.HUNDRED_DOMAINS, spool)


def imported(server: Secondpost, path: Path) -> Done:
    return run_measured(server, "subscribers", "import", str(path), "--confirmed", "in the bench")


def run_measured(server: Secondpost, *arguments: str) -> Done:
    begun = time.monotonic()
    with open(server.output, "ab") as output:
        process = subprocess.Popen(
            server.command(*arguments), env=server.environment, stdout=subprocess.DEVNULL, stderr=output
        )
    rss = 0.0
    while process.poll() is None:
        rss = max(rss, measure.peak_rss_megabytes(process.pid))
        time.sleep(LOOK_SECONDS)
    if process.returncode != 0:
        raise LoadFailed(f"{' '.join(arguments)} ended with {process.returncode}: {server.trouble()}")
    return Done(time.monotonic() - begun, rss)


def longest_ms(holds: Path) -> float:
    return max(float(line) for file in holds.iterdir() for line in file.read_text().splitlines())


async def store_alone(folder: Path, readers: int) -> float:
    """Seconds that the store alone takes for this many readers, given as values."""
    folder.mkdir()
    work, failures = RealWork(1), list[BaseException]()
    store = SqliteNewsletterStore.open(
        RealDisk(str(folder)), work, RealClock(), role="bench", failed=failures.append
    )
    consent = Consent("in the bench", "import", "list.csv", 1)
    try:
        begun = time.monotonic()
        for batch in _batches(readers):
            await store.import_batch("weekly", batch, SubscriberState.ACTIVE, consent, 1)
        return time.monotonic() - begun
    finally:
        store.close()
        work.close()


def _batches(readers: int) -> list[Sequence[Imported]]:
    lines = [
        Imported(
            Mailbox(f"reader.{number}", Domain(domain_name(number % DOMAINS))),
            (("name", f"Reader {number}"),),
        )
        for number in range(readers)
    ]
    return [lines[start : start + BATCH_READERS_MAX] for start in range(0, readers, BATCH_READERS_MAX)]
