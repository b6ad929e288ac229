"""The processes of a service: one keeper for each role, and the listening sockets they share."""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from socket import socket

from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.tally import Tally
from secondpost.maillog import MailLog
from secondpost.processes.accepted import Accepted
from secondpost.processes.exits import ProcessExit
from secondpost.processes.handed_over import HandedRole
from secondpost.processes.keeper import RoleKeeper
from secondpost.processes.role_process import RoleProcess, adopted_role, start_role
from secondpost.processes.roles import doors_of, roles_of

STOP_SECONDS_MAX = 40.0  # longer than a role drains; then it is killed
ADMIT_SECONDS = 1.0  # a connection just accepted is admitted in a later turn, and is not lost then
SETTLE_SECONDS_MAX = 10.0  # for a process that is being started, or ends
SETTLE_LOOK_SECONDS = 0.02


class Crew:
    """Make one in a running loop. `disk_failed` is called with the role whose disk failed; `only` is
    the one role that it has, None for all that the configuration needs.
    """

    def __init__(
        self,
        accepted: Accepted,
        doors: dict[Endpoint, socket],
        log: MailLog,
        alarms: StandingAlarms,
        disk_failed: Callable[[str], None],
        tally: Tally,
        only: str | None = None,
    ) -> None:
        self.accepted = accepted
        self.doors = doors
        self.only = only
        # Gets the error of a keeper that failed, which is a bug of ours.
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._log = log
        self._alarms = alarms
        self._disk_failed = disk_failed
        self._tally = tally
        self._keepers: dict[str, RoleKeeper] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self._kept_roles: set[str] = set()  # whose keeper runs
        self._living: set[RoleProcess] = set()

    def begin(self) -> None:
        """Keep all roles up that are not kept yet, and start those that have no process."""
        for role in self.roles_of(self.accepted.config):
            if role not in self._kept_roles:
                self._keep(self._keepers[role] if role in self._keepers else self._keeper(role))

    def adopt(self, handed: Sequence[HandedRole]) -> None:
        """Go on with processes that the program before this one started. Until `begin` none of them
        is started again: it would be as this program.
        """
        for one in handed:
            process = adopted_role(one)
            self._live(process)
            keeper = self._keepers[one.role] if one.role in self._keepers else self._keeper(one.role)
            keeper.adopt(process, is_leaving=one.is_leaving)

    @asynccontextmanager
    async def unchanging(self) -> AsyncIterator[None]:
        """While no process is started, neither of a role nor to sign, and none is just ending."""
        async with AsyncExitStack() as held:
            for keeper in self._keepers.values():
                await held.enter_async_context(keeper.unchanging())
            until = asyncio.get_running_loop().time() + SETTLE_SECONDS_MAX
            while any(process.is_making or process.is_ending for process in self._living):
                await asyncio.sleep(SETTLE_LOOK_SECONDS)
                if asyncio.get_running_loop().time() >= until:
                    self._kill_what_is_ending()
            yield

    def _kill_what_is_ending(self) -> None:
        """Only a role that was taken over closes what leads to it and lives on."""
        for process in self._living:
            if process.is_ending:
                process.kill()

    def handed(self) -> tuple[HandedRole, ...]:
        """All processes, for the next program; while `unchanging`."""
        current = {keeper.current for keeper in self._keepers.values()}
        living = sorted(self._living, key=lambda process: process.number)
        return tuple(one.handed(is_leaving=one not in current) for one in living if not one.ended.done())

    async def finish(self) -> None:
        """End all roles, and keep the sockets open: who calls meanwhile waits in their queues.

        What was begun ends first: messages under way get their answers.
        """
        while len(self._keepers) > 0:
            await self._end(next(iter(self._keepers)))
        await asyncio.sleep(ADMIT_SECONDS)
        await asyncio.gather(*(process.stopped_within(STOP_SECONDS_MAX) for process in self._living))

    def roles_of(self, config: Config) -> tuple[str, ...]:
        return roles_of(config, self.only)

    async def settled(self) -> None:
        """Wait until each role serves, or its first process could not."""
        await asyncio.gather(*(keeper.settled.wait() for keeper in self._keepers.values()))

    def serving(self) -> tuple[RoleProcess, ...]:
        """The process of each role that serves."""
        current = (keeper.current for keeper in self._keepers.values())
        return tuple(process for process in current if process is not None and process.is_serving)

    def has(self, number: int) -> bool:
        """Whether the process with this number is one of a role."""
        return any(process.number == number for process in self._living)

    async def start(
        self, role: str, accepted: Accepted, new_doors: Mapping[Endpoint, socket] | None = None
    ) -> RoleProcess:
        """Start a process of a role. Raises OSError."""
        doors = self.doors if new_doors is None else {**self.doors, **new_doors}
        wanted = {at: doors[at] for at in doors_of(accepted.config, role) if at in doors}
        process = await start_role(role, accepted, wanted)
        self._live(process)
        return process

    def _live(self, process: RoleProcess) -> None:
        self._living.add(process)
        process.ended.add_done_callback(lambda ended: self._ended(process, ended))

    async def relieve(
        self, accepted: Accepted, new_doors: Mapping[Endpoint, socket], successors: Sequence[RoleProcess]
    ) -> None:
        """Give each role's place to its successor, in this order; end the roles without one."""
        self.accepted = accepted
        self.doors.update(new_doors)
        for successor in successors:
            role = successor.role
            keeper = self._keepers[role] if role in self._keepers else self._keeper(role)
            await keeper.take(successor, accepted)
            if role not in self._kept_roles:
                self._keep(keeper)
        for role in self._keepers.keys() - {successor.role for successor in successors}:
            await self._end(role)
        listening = {at for one in successors for at in doors_of(accepted.config, one.role)}
        for endpoint in self.doors.keys() - listening:
            self.doors.pop(endpoint).close()
        self.log_doors(new_doors)

    def log_doors(self, doors: Container[Endpoint]) -> None:
        """A line for each of these addresses at which a role listens."""
        for role in self._keepers:
            for endpoint in doors_of(self.accepted.config, role):
                if endpoint in doors:
                    self._log.listening(role, str(endpoint))

    async def stop(self) -> None:
        """End all processes in good order."""
        for keeping in self._keeping:
            keeping.cancel()
        await asyncio.gather(*(process.stopped_within(STOP_SECONDS_MAX) for process in self._living))

    def kill(self) -> None:
        for process in self._living:
            process.kill()

    def _keeper(self, role: str) -> RoleKeeper:
        keeper = self._keepers[role] = RoleKeeper(
            role, self.accepted, self.start, self._log, self._alarms, self._tally
        )
        return keeper

    async def _end(self, role: str) -> None:
        self._kept_roles.discard(role)
        await self._keepers.pop(role).end()

    def _keep(self, keeper: RoleKeeper) -> None:
        self._kept_roles.add(keeper.role)
        keeping = asyncio.ensure_future(keeper.run())
        self._keeping.add(keeping)
        keeping.add_done_callback(self._kept)

    def _kept(self, keeping: asyncio.Task[None]) -> None:
        self._keeping.discard(keeping)
        if not keeping.cancelled() and (error := keeping.exception()) is not None and not self.broken.done():
            self.broken.set_exception(error)

    def _ended(self, process: RoleProcess, ended: asyncio.Task[int]) -> None:
        self._living.discard(process)
        if not ended.cancelled() and ended.result() == ProcessExit.DISK:
            self._disk_failed(process.role)
