"""An issue to many readers: each mail made for one reader and signed twice.

Its rate is compared with the RSA-2048 signatures per second of one core of this machine, measured
directly before and after. The readers' servers are smtp-sink on the same cores. Also measured: the
share of its rate that a steady load of relayed mail keeps while an issue leaves through the same
deliver process.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from bench import measure
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
from bench.load import Load, LoadFailed, LoadTools, Sink
from bench.newsletter import MAIL_OCTETS, Blog, Campaign, Crowd, configuration
from bench.ours import Secondpost
from bench.ready import free_port

RSA_BITS: Final = 2048
CROWDS: Final = {
    Mode.HUNDRED_DOMAINS: Crowd(100, have_servers_of_their_own=False),
    Mode.ONE_DOMAIN: Crowd(1, have_servers_of_their_own=False),
    Mode.HUNDRED_SITES: Crowd(100, have_servers_of_their_own=True),
}
RELAYED_OCTETS: Final = 4096


@dataclass(frozen=True, slots=True)
class FanOutSample:
    rate: float  # mails per second, from the first to the last
    rate_without_sink: float  # without the CPU time of the readers' servers
    rsa: float  # signatures per second of one core, before and after
    cpu: float  # seconds of all our processes per 10,000 mails
    pss: float  # peak, in megabytes
    steal: float
    others: float


@dataclass(frozen=True, slots=True)
class BesideSample:
    alone: float  # relayed messages per second
    beside: float
    issue: float  # mails of the issue per second meanwhile
    steal: float
    others: float


Sample = FanOutSample | BesideSample


@dataclass(frozen=True, slots=True)
class Place:
    """A server whose newsletter has its readers, and the next hops for both kinds of mail."""

    server: Secondpost
    campaign: Campaign
    readers: Sink
    primary: Sink


@dataclass(frozen=True, slots=True)
class FanOutBench:
    tools: LoadTools
    spools: dict[str, Path]
    rounds: int
    short: bool
    tree: Path | None  # another source tree, to be measured too
    key: RSAPrivateKey

    @staticmethod
    def prepared(
        tools: LoadTools, spools: dict[str, Path], rounds: int, short: bool, tree: Path | None
    ) -> "FanOutBench":
        return FanOutBench(tools, spools, rounds, short, tree, generate_private_key(65537, RSA_BITS))

    def measure(self, figure: Figure) -> dict[str, object]:
        if figure.work is Work.BESIDE:
            return self._measure_beside(figure)
        if self.tree is not None:
            return self._measure_against(figure, self.tree)
        good, thrown_out = good_rounds(self.rounds, lambda _turn: self._fan_out(figure), is_disturbed)
        return {
            **_head(figure),
            "ours": round(median(one.rate for one in good)),
            "rsa_one_core": round(median(one.rsa for one in good)),
            **_ratios("ratio", [one.rate / one.rsa for one in good]),
            **_ratios("ratio_without_sink", [one.rate_without_sink / one.rsa for one in good]),
            "cpu_ours": round(median(one.cpu for one in good), 2),
            "pss_ours": round(max(one.pss for one in good)),
            "readers": self._readers,
            **rounds_told(good, thrown_out),
        }

    def _measure_against(self, figure: Figure, tree: Path) -> dict[str, object]:
        def run(turn: int) -> tuple[FanOutSample, FanOutSample]:
            if turn % 2 == 0:
                return self._fan_out(figure), self._fan_out(figure, tree)
            theirs = self._fan_out(figure, tree)
            return self._fan_out(figure), theirs

        good, thrown_out = good_rounds(self.rounds, run, lambda pair: any(map(is_disturbed, pair)))
        return {
            **_head(figure),
            "ours": round(median(ours.rate for ours, _theirs in good)),
            "theirs": round(median(theirs.rate for _ours, theirs in good)),
            "cpu_ours": round(median(ours.cpu for ours, _theirs in good), 2),
            "cpu_theirs": round(median(theirs.cpu for _ours, theirs in good), 2),
            **_ratios("ratio", [ours.rate / theirs.rate for ours, theirs in good]),
            **_ratios("cpu_ratio", [ours.cpu / theirs.cpu for ours, theirs in good]),
            "readers": self._readers,
            **rounds_told([sample for pair in good for sample in pair], thrown_out),
        }

    def _measure_beside(self, figure: Figure) -> dict[str, object]:
        good, thrown_out = good_rounds(self.rounds, lambda turn: self._beside(figure, turn), is_disturbed)
        return {
            **_head(figure),
            "alone": round(median(one.alone for one in good)),
            "beside": round(median(one.beside for one in good)),
            "issue": round(median(one.issue for one in good)),
            **_ratios("ratio", [one.beside / one.alone for one in good]),
            "messages": self._relayed,
            "readers": self._readers,
            **rounds_told(good, thrown_out),
        }

    @property
    def _readers(self) -> int:
        return 3_000 if self.short else 20_000

    @property
    def _relayed(self) -> int:
        return 1_000 if self.short else 8_000

    def _fan_out(self, figure: Figure, tree: Path | None = None) -> FanOutSample:
        with self._place(figure, tree) as place:
            rsa_before = measure.rsa_signatures_per_second(self.key)
            cpu = measure.settle(place.server.pid)
            memory = measure.PeakMemory(place.server.pid)
            known, machine = measure.cpu_seconds(os.getpid()), measure.MachineTime.now()
            place.campaign.send()
            place.readers.wait_for(1)
            begun, sink_cpu = time.monotonic(), measure.cpu_seconds(place.readers.pid)
            place.readers.wait_for(self._readers)
            seconds = time.monotonic() - begun
            sink_cpu = measure.cpu_seconds(place.readers.pid) - sink_cpu
            after = measure.MachineTime.now()
            known = measure.cpu_seconds(os.getpid()) - known
            pss = memory.megabytes()
            cpu = measure.settle(place.server.pid) - cpu
            rsa = (rsa_before + measure.rsa_signatures_per_second(self.key)) / 2
            place.campaign.check()
        sample = FanOutSample(
            rate=self._readers / seconds,
            rate_without_sink=self._readers / (seconds - sink_cpu / (os.cpu_count() or 1)),
            rsa=rsa,
            cpu=cpu * 10_000 / self._readers,
            pss=pss,
            steal=after.stolen_since(machine),
            others=after.others_since(machine, known),
        )
        _say(figure, f"{sample.rate:.0f}/s, RSA {rsa:.0f}/s, {sample.cpu:.2f} CPU s per 10,000", sample)
        return sample

    def _beside(self, figure: Figure, turn: int) -> BesideSample:
        """Measure relaying beside an issue, and alone: in even turns before it, in odd after it."""
        alone = 0.0
        with self._place(figure) as place:
            measure.settle(place.server.pid)
            known, machine = measure.cpu_seconds(os.getpid()), measure.MachineTime.now()
            if turn % 2 == 0:
                alone = self._relay(place)
            place.campaign.send()
            place.readers.wait_for(1)
            begun, sent = time.monotonic(), place.readers.counted
            beside = self._relay(place)
            issue = (place.readers.counted - sent) / (time.monotonic() - begun)
            if place.readers.counted == self._readers:
                raise LoadFailed("the issue was out before the load beside it: that needs more readers")
            place.readers.wait_for(self._readers)
            if turn % 2 == 1:
                alone = self._relay(place)
            after, known = measure.MachineTime.now(), measure.cpu_seconds(os.getpid()) - known
            measure.settle(place.server.pid)
            place.campaign.check()
        steal, others = after.stolen_since(machine), after.others_since(machine, known)
        sample = BesideSample(alone, beside, issue, steal, others)
        _say(figure, f"relay {alone:.0f}/s alone, {beside:.0f}/s beside {issue:.0f}/s of an issue", sample)
        return sample

    def _relay(self, place: Place) -> float:
        """Messages per second until the last one is at the primary."""
        load = Load(self._relayed, RELAYED_OCTETS, 50, keep_open=True)
        begun, until = time.monotonic(), place.primary.counted + load.messages
        self.tools.send(load, place.server.port, SENDER, RECIPIENT)
        place.primary.wait_for(until)
        return load.messages / (time.monotonic() - begun)

    @contextmanager
    def _place(self, figure: Figure, tree: Path | None = None) -> Iterator[Place]:
        folder = Path(tempfile.mkdtemp(prefix="fanout-", dir=self.spools[figure.spool]))
        readers_port, primary_port = free_port(), free_port()
        try:
            with (
                Blog() as blog,
                Sink(self.tools, readers_port) as readers,
                Sink(self.tools, primary_port) as primary,
                Secondpost(
                    folder,
                    free_port(),
                    primary_port,
                    configuration(blog.url, free_port(), readers_port, CROWDS[figure.mode]),
                    tree=tree,
                ) as server,
            ):
                campaign = Campaign(server, self._readers)
                campaign.import_readers(CROWDS[figure.mode].domains)
                yield Place(server, campaign, readers, primary)
        finally:
            shutil.rmtree(folder)


def is_disturbed(sample: Sample) -> bool:
    return sample.steal > STEAL_SHARE_MAX or sample.others > OTHERS_SHARE_MAX


def grid(short: bool) -> Iterator[Figure]:
    for spool in ("disk",) if short else ("disk", "tmpfs"):
        for mode in CROWDS:
            if short and mode is Mode.HUNDRED_SITES:
                continue
            yield Figure(Work.FANOUT, MAIL_OCTETS, mode, spool)
        yield Figure(Work.BESIDE, RELAYED_OCTETS, Mode.ONE_DOMAIN, spool)


def _head(figure: Figure) -> dict[str, object]:
    return {
        "figure": figure.work.value,
        "size": figure.size,
        "mode": figure.mode.value,
        "spool": figure.spool,
    }


def _ratios(name: str, ratios: Sequence[float]) -> dict[str, object]:
    return {
        name: round(median(ratios), 3),
        f"{name}_range": [round(min(ratios), 3), round(max(ratios), 3)],
    }


class Shares(Protocol):
    """Shares of the machine taken by others."""

    @property
    def steal(self) -> float: ...

    @property
    def others(self) -> float: ...


def rounds_told(good: Sequence[Shares], thrown_out: int) -> dict[str, object]:
    return {
        "rounds": len(good),
        "thrown_out": thrown_out,
        "steal": round(max(one.steal for one in good), 3),
        "others": round(max(one.others for one in good), 3),
    }


def _say(figure: Figure, text: str, sample: Sample) -> None:
    print(
        f"{figure.work} {figure.mode} {figure.spool}: {text}; "
        f"steal {sample.steal:.1%}, others {sample.others:.1%}",
        file=sys.stderr,
    )
