"""One figure: what is measured, on which spool, how often; and its line of JSON."""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

from bench import measure
from bench.load import Load, LoadTools, Sink
from bench.names import NameServer
from bench.ours import DOMAIN, Secondpost
from bench.postfix import Postfix
from bench.ready import free_port

STEAL_SHARE_MAX: Final = 0.05
OTHERS_SHARE_MAX: Final = 0.10  # a neighbour takes more from few processes than from a hundred
SENDER: Final = "someone@sender.example"
RECIPIENT: Final = f"reader@{DOMAIN}"


class Work(StrEnum):
    ACCEPT = "accept"  # the next hop is down: nothing listens there
    RELAY = "relay"  # until the last message is at the next hop
    FANOUT = "fanout"  # an issue to many readers, against this machine's own RSA signatures
    BESIDE = "beside"  # relay while an issue is sent, against relay alone
    DETECTOR = "detector"  # accepting with the search for attacks, against accepting without it
    IMPORT = "import"  # readers are imported and an issue is frozen while mail is accepted


OF_MAIL: Final = (Work.ACCEPT, Work.RELAY)


class Mode(StrEnum):
    KEPT_OPEN = "kept-open"  # 50 sessions
    PER_CONNECTION = "per-connection"  # 10 clients, one message per connection
    ONE_SESSION = "one-session"  # where a slow commit timer would show
    HUNDRED_DOMAINS = "hundred-domains"  # readers' domains at one provider
    ONE_DOMAIN = "one-domain"
    HUNDRED_SITES = "hundred-sites"  # readers' domains, each with a server of its own


class Side(StrEnum):
    OURS = "ours"
    POSTFIX = "postfix"
    TREE = "tree"  # Secondpost as another tree has it


R = TypeVar("R")

SESSIONS: Final = {Mode.KEPT_OPEN: (50, True), Mode.PER_CONNECTION: (10, False), Mode.ONE_SESSION: (1, True)}


@dataclass(frozen=True, slots=True)
class Figure:
    work: Work
    size: int
    mode: Mode
    spool: str  # "disk" or "tmpfs"

    def load(self, short: bool) -> Load:
        sessions, keep_open = SESSIONS[self.mode]
        messages = 1000 if self.mode is Mode.ONE_SESSION else 5000 if self.size <= 8192 else 1500
        return Load(messages // 5 if short else messages, self.size, sessions, keep_open)


@dataclass(frozen=True, slots=True)
class Sample:
    rate: float  # messages per second
    cpu: float  # seconds of all its processes per 10,000 messages
    pss: float  # peak, in megabytes
    steal: float  # share of the machine taken by the host
    others: float  # share of processes that belong to neither side

    @property
    def is_disturbed(self) -> bool:
        return self.steal > STEAL_SHARE_MAX or self.others > OTHERS_SHARE_MAX


@dataclass(slots=True)
class Round:
    samples: dict[Side, Sample] = field(default_factory=dict)

    @property
    def is_disturbed(self) -> bool:
        return any(sample.is_disturbed for sample in self.samples.values())


def good_rounds(
    wanted: int, run: Callable[[int], R], is_disturbed: Callable[[R], bool]
) -> tuple[list[R], int]:
    """Run `wanted` undisturbed rounds; also return the number of rounds discarded.

    At most `wanted` rounds are discarded; later ones count even if disturbed.
    """
    good: list[R] = []
    thrown_out = 0
    while len(good) < wanted:
        one = run(len(good) + thrown_out)
        if is_disturbed(one) and thrown_out < wanted:
            thrown_out += 1
        else:
            good.append(one)
    return good, thrown_out


@dataclass(frozen=True, slots=True)
class Bench:
    """`spools` has a folder for "disk" and one for "tmpfs"."""

    tools: LoadTools
    spools: dict[str, Path]
    sides: Sequence[Side]
    rounds: int
    short: bool
    tree: Path | None = None

    def measure(self, figure: Figure) -> dict[str, object]:
        """Measure all rounds of a figure, alternating which side is first."""
        disk: list[float] = []

        def run(turn: int) -> Round:
            disk.append(measure.disk_files_per_second(self.spools[figure.spool]))
            one = Round()
            for side in self.sides if turn % 2 == 0 else tuple(reversed(self.sides)):
                one.samples[side] = self._sample(figure, side)
                say(figure, side, one.samples[side], disk[-1])
            return one

        good, thrown_out = good_rounds(self.rounds, run, lambda one: one.is_disturbed)
        return self._line(figure, good, thrown_out, disk)

    def _sample(self, figure: Figure, side: Side) -> Sample:
        folder = Path(tempfile.mkdtemp(prefix=f"{side}-", dir=self.spools[figure.spool]))
        folder.chmod(0o755)  # Postfix's daemons run as other users
        try:
            return self._run(figure, side, folder)
        finally:
            shutil.rmtree(folder)

    def _run(self, figure: Figure, side: Side, folder: Path) -> Sample:
        load = figure.load(self.short)
        port, next_port = free_port(), free_port()
        with (
            _next_hop(figure.work, self.tools, next_port) as sink,
            NameServer() as names,
            self._server(side, folder, port, next_port, names.setting) as server,
        ):
            before = measure.settle(server.pid)
            memory = measure.PeakMemory(server.pid)
            # Known CPU time is that of our process tree: both servers, the load tools and the
            # bench.
            known, machine = measure.cpu_seconds(os.getpid()), measure.MachineTime.now()
            begun = time.monotonic()
            self.tools.send(load, port, SENDER, RECIPIENT)
            if sink is not None:
                sink.wait_for(load.messages)
            seconds = time.monotonic() - begun
            after = measure.MachineTime.now()
            known = measure.cpu_seconds(os.getpid()) - known
            pss = memory.megabytes()
            cpu = measure.settle(server.pid) - before
        return Sample(
            rate=load.messages / seconds,
            cpu=cpu * 10_000 / load.messages,
            pss=pss,
            steal=after.stolen_since(machine),
            others=after.others_since(machine, known),
        )

    def _server(
        self, side: Side, folder: Path, port: int, next_port: int, names: str
    ) -> Secondpost | Postfix:
        match side:
            case Side.OURS:
                return Secondpost(folder, port, next_port, names)
            case Side.TREE:
                return Secondpost(folder, port, next_port, names, tree=self.tree)
            case Side.POSTFIX:
                transport = f"static:{{smtp:[127.0.0.1]:{next_port}}}"
                return Postfix(folder, port, {"relay_domains": DOMAIN, "transport_maps": transport})

    def _line(
        self, figure: Figure, rounds: Sequence[Round], thrown_out: int, disk: Sequence[float]
    ) -> dict[str, object]:
        line: dict[str, object] = {
            "figure": figure.work.value,
            "size": figure.size,
            "mode": figure.mode.value,
            "spool": figure.spool,
        }
        for side in self.sides:
            key = "ours" if side is Side.OURS else "theirs"
            if key == "theirs":
                line["peer"] = side.value
            samples = [one.samples[side] for one in rounds if side in one.samples]
            if len(samples) > 0:
                line[key] = round(median(s.rate for s in samples))
                line[f"cpu_{key}"] = round(median(s.cpu for s in samples), 2)
                line[f"pss_{key}"] = round(max(s.pss for s in samples))
        if len(self.sides) == 2:
            pairs = [(one.samples[self.sides[0]], one.samples[self.sides[1]]) for one in rounds]
            ratios = [ours.rate / theirs.rate for ours, theirs in pairs]
            line["ratio"] = round(median(ratios), 2)
            line["ratio_range"] = [round(min(ratios), 2), round(max(ratios), 2)]
            line["cpu_ratio"] = round(median(ours.cpu / theirs.cpu for ours, theirs in pairs), 3)
        line["messages"] = figure.load(self.short).messages
        line["rounds"] = len(rounds)
        line["thrown_out"] = thrown_out
        samples = [sample for one in rounds for sample in one.samples.values()]
        line["steal"] = round(max(sample.steal for sample in samples), 3)
        line["others"] = round(max(sample.others for sample in samples), 3)
        line["disk_files_per_second"] = round(median(disk))
        return line


def _next_hop(work: Work, tools: LoadTools, port: int) -> AbstractContextManager[Sink | None]:
    """The next hop; for accept nothing listens there."""
    return Sink(tools, port) if work is Work.RELAY else nullcontext()


def say(figure: Figure, side: Side, sample: Sample, disk: float) -> None:
    print(
        f"{figure.work} {figure.size} {figure.mode} {figure.spool}: {side} {sample.rate:.0f}/s, "
        f"{sample.cpu:.2f} CPU s per 10,000, {sample.pss:.0f} MB; "
        f"steal {sample.steal:.1%}, others {sample.others:.1%}, disk {disk:.0f} files/s",
        file=sys.stderr,
    )


def grid(short: bool) -> Iterator[Figure]:
    """All figures of a run, those with limits first."""
    for spool in ("disk", "tmpfs"):
        for work in OF_MAIL:
            for size in (4096, 51200):
                for mode in SESSIONS:
                    if mode is Mode.ONE_SESSION and (work is Work.RELAY or size != 4096):
                        continue
                    if short and size != 4096 and mode is not Mode.KEPT_OPEN:
                        continue
                    yield Figure(work, size, mode, spool)


def as_json(line: dict[str, object]) -> str:
    return json.dumps(line)
