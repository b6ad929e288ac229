"""The product on its machine: its roles are wired, watched, and started again as the supervisor does."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from secondpost.app import DeliverRole, ReceiveRole, World
from secondpost.config.records import Config
from secondpost.store.ports import MailStore
from secondpost.store.sqlite import SqliteStore
from simulation.daylog import DayLog
from simulation.machine import Machine, Process
from simulation.scenario import STRIKES_SECONDS_MAX
from simulation.trace import Trace
from simulation.work import in_thread

ROLES = ("receive", "deliver")
RESTART_SECONDS = 2.0
Wiring = Callable[[str, Config, World, MailStore], tuple[Config, World, MailStore]]


def as_built(role: str, config: Config, world: World, store: MailStore) -> tuple[Config, World, MailStore]:
    """The wiring that changes nothing; planted bugs have others."""
    return config, world, store


@dataclass(slots=True)
class Service:
    machine: Machine
    config: Config
    log: DayLog
    trace: Trace
    wiring: Wiring
    powered: bool = True

    def start_all(self) -> None:
        self.powered = True
        for role in ROLES:
            self.start(role)

    def start(self, role: str) -> None:
        process = self.machine.process(role)
        process.start(self._run(process, role))

    def after_words(self, role: str, words: int, later_seconds: float, strike: Callable[[], None]) -> None:
        """Strike soon after the role's n-th next word to another machine, or when it is silent too long."""
        loop = self.machine.internet.loop
        net = self.machine.processes[role].net
        left = words
        struck = False

        def once() -> None:
            nonlocal struck
            net.wrote = None
            if not struck:
                struck = True
                strike()

        def wrote() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                loop.call_later(later_seconds, once)

        net.wrote = wrote
        loop.call_later(STRIKES_SECONDS_MAX - 1.0, once)

    def crash(self, role: str) -> None:
        """kill -9; the supervisor starts it again soon."""
        self.machine.processes[role].kill()
        self._again(role)

    def stop_gracefully(self, role: str) -> None:
        """SIGTERM; the role drains, and is started again."""
        self.machine.processes[role].stopping.set()

    def power_cut(self) -> None:
        self.powered = False
        self.machine.power_cut(self.machine.dice.scheduling)

    def power_on(self) -> None:
        self.machine.power_on()
        self.start_all()

    def _again(self, role: str) -> None:
        def start() -> None:
            if self.powered and not self.machine.processes[role].running:
                self.start(role)

        self.machine.internet.loop.call_later(RESTART_SECONDS, start)

    async def _run(self, process: Process, role: str) -> None:
        died: asyncio.Future[str] = process.loop.create_future()

        def failed(fault: BaseException) -> None:
            if not died.done():
                died.set_result(f"{type(fault).__name__}: {fault}")

        stop = asyncio.ensure_future(process.stopping.wait())
        try:
            station, store = await self._wire(process, role, failed)
        except Exception as fault:  # noqa: BLE001
            self._note(role, f"role-not-started role={role} reason={type(fault).__name__}: {fault}")
            self.machine.internet.loop.call_soon(self._ended, process, role)
            return
        try:
            await asyncio.wait((died, stop), return_when=asyncio.FIRST_COMPLETED)
            if not died.done():
                await station.drain()
                store.close()
        except Exception as fault:  # noqa: BLE001
            failed(fault)
        reason = died.result() if died.done() else "stopped"
        self._note(role, f"role-ended role={role} reason={reason}")
        # The process ends as any does: the kernel closes what is open.
        self.machine.internet.loop.call_soon(self._ended, process, role)

    def _ended(self, process: Process, role: str) -> None:
        process.kill()
        if self.powered:
            self._again(role)

    async def _wire(
        self, process: Process, role: str, failed: Callable[[BaseException], None]
    ) -> tuple[ReceiveRole | DeliverRole, MailStore]:
        machine = self.machine
        world = World(
            clock=machine.clock,
            dice=machine.dice.product,
            net=process.net,
            resolver=process.resolver,
            work=process.work,
            disk=process.disk,
        )
        store = in_thread(
            process.loop.timeline,
            lambda: SqliteStore.open(process.disk, process.work, machine.clock, role=role, failed=failed),
        )
        config, world, wired = self.wiring(role, self.config, world, store)

        def sink(text: str) -> None:
            self._note(role, text)

        build = ReceiveRole if role == "receive" else DeliverRole
        station = build(config, world, wired, sink, failed)
        await station.start()
        return station, wired

    def _note(self, role: str, text: str) -> None:
        seconds = self.machine.internet.timeline.now
        self.log.note(seconds, role, text)
        self.trace.note(seconds, f"{role}: {text}")
