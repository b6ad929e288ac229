"""A machine that runs processes, each with a loop, network and work of its own.

The loop of a killed process never runs again; its kernel closes its connections, and its locks are
released. A power cut kills all processes without a FIN or RST, and the disk keeps what was synced.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path

from simulation.clock import SimClock
from simulation.dice import SimDice, ThreeDice
from simulation.disk.disk import RecordedDisk
from simulation.internet.dns import SimDns, SimResolver
from simulation.internet.net import SimHost, SimInternet, SimNet
from simulation.work import JobDurations, SimWork


class Process:
    """One role, from its start to its death."""

    def __init__(self, machine: "Machine", name: str) -> None:
        self.name = name
        self.machine = machine
        self.loop = machine.internet.timeline.loop(name)
        self.net = SimNet(machine.internet, machine.host, self.loop)
        self.work = SimWork(self.loop, machine.dice.scheduling, machine.pace)
        self.disk = machine.disk.process()
        self.resolver = SimResolver(machine.dns, machine.host.network, machine.dice.scheduling)
        self.running = True
        self.stopping = asyncio.Event()  # set by SIGTERM

    def start(self, role: Coroutine[object, object, None]) -> None:
        self.main = self.loop.create_task(role)

    @contextmanager
    def in_loop(self) -> Iterator[None]:
        """Make the process's loop the running one, for calls outside of a task."""
        asyncio._set_running_loop(self.loop)
        try:
            yield
        finally:
            asyncio._set_running_loop(None)

    def kill(self, *, silently: bool = False) -> None:
        """kill -9."""
        if not self.running:
            return
        self.running = False
        self.net.die(silently)
        self.work.crash()
        self.disk.kill()
        self.machine.internet.timeline.kill(self.loop)


class Machine:
    """The computer that the product runs on."""

    def __init__(
        self,
        internet: SimInternet,
        host: SimHost,
        dns: SimDns,
        dice: ThreeDice,
        folder: Path,
        pace: JobDurations,
    ) -> None:
        self.internet = internet
        self.host = host
        self.dns = dns
        self.dice = dice
        self.pace = pace
        self.clock = SimClock(internet.timeline)
        self.disk = RecordedDisk(folder, whole_log=False)
        self.processes: dict[str, Process] = {}

    def process(self, name: str) -> Process:
        """A new process of that name; an earlier one must be dead."""
        old = self.processes.get(name)
        assert old is None or not old.running, f"{name} runs already"
        self.processes[name] = Process(self, name)
        return self.processes[name]

    def power_cut(self, dice: SimDice) -> None:
        for process in self.processes.values():
            process.kill(silently=True)
        self.host.up = False
        self.disk = self.disk.crash(dice)

    def scrap(self) -> None:
        """End all processes: open SQLite connections would affect files of the next day."""
        for process in self.processes.values():
            process.kill(silently=True)
        self.disk.kill()

    def power_on(self) -> None:
        self.host.up = True
