"""The owner's commands on readers: each runs in a process of its own that opens the store."""

from collections.abc import Awaitable, Callable

from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.world.ports import DiskFull
from simulation.machine import Machine, Process
from simulation.work import in_thread

AGAIN_SECONDS = 60.0
OwnersCommand = Callable[[SqliteNewsletterStore], Awaitable[None]]


class Owner:
    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def types(self, command: OwnersCommand, done: Callable[[], None]) -> None:
        """Run a command; retry while the machine is down, the disk full or another one runs."""
        last = self._machine.processes.get("command")
        if not self._machine.host.up or (last is not None and last.running):
            self._machine.internet.loop.call_later(AGAIN_SECONDS, self.types, command, done)
            return
        process = self._machine.process("command")
        process.start(self._run(process, command, done))

    async def _run(self, process: Process, command: OwnersCommand, done: Callable[[], None]) -> None:
        loop = self._machine.internet.loop
        try:
            store = in_thread(
                process.loop.timeline,
                lambda: SqliteNewsletterStore.open(
                    process.disk,
                    process.work,
                    self._machine.clock,
                    role="command",
                    failed=lambda fault: None,
                ),
            )
            try:
                await command(store)
            finally:
                store.close()
        except (StoreFull, StoreUnavailable, StoreRefused, DiskFull):
            loop.call_later(AGAIN_SECONDS, self.types, command, done)
        else:
            loop.call_soon(done)
        loop.call_soon(process.kill)
