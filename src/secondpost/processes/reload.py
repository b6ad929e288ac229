"""Reload: a running service takes over a changed configuration, whole or not at all.

Everything is checked before anything changes: the file, by reading it; the ports, by opening those
that are new; the files, keys and stores, by starting a successor of each role, which reads them. A
fault anywhere ends all successors, and the service goes on as it was. Otherwise each successor
takes its predecessor's place: the sockets stay open, and conversations go on where they began.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from socket import socket

from secondpost.config.changes import RESTART, changes, only_at_start
from secondpost.config.faults import ConfigFaults, Fault
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.config.warnings import warnings
from secondpost.mail.address import Endpoint
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.maillog import MailLog
from secondpost.processes.accepted import Accepted, accepted_now
from secondpost.processes.crew import Crew
from secondpost.processes.doors import refusal_text
from secondpost.processes.role_process import RoleProcess
from secondpost.processes.roles import doors_key, doors_of, is_optional
from secondpost.world.ports import NetError
from secondpost.world.real.net import open_door
from secondpost.world.real.service_manager import READY, RELOADING, ServiceManager

WHOLE = ""  # the subject of the alarm: the whole service
# Who answers comes before those who ask: mail is taken for a new domain once it can be delivered.
ORDER = ("deliver", "fetch", "publish", "web", "receive")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """`changes`: keys whose values changed (config/changes); `warnings`: keys that have no effect yet."""

    path: str
    changes: tuple[str, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotReloaded:
    """The service goes on with what it had. `faults` is not empty."""

    path: str
    faults: tuple[Fault, ...]


class ReloadRefused(Exception):
    """The new configuration cannot be used; `faults` has all reasons that were found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class PreparedRoles:
    """A successor of each role, which has read all that it needs and waits to begin."""

    accepted: Accepted
    doors: Mapping[Endpoint, socket]  # the new ones
    successors: Sequence[RoleProcess]


class Reload:
    """Reloads a crew, one reload after the other."""

    def __init__(self, crew: Crew, log: MailLog, alarms: StandingAlarms, manager: ServiceManager) -> None:
        self._crew = crew
        self._manager = manager
        self._log = log
        self._alarms = alarms
        self.one_at_a_time = asyncio.Lock()
        self._next: asyncio.Task[Reloaded | NotReloaded] | None = None  # has not read the file yet

    async def reload(self) -> Reloaded | NotReloaded:
        """Read the file again. Whatever is asked during a reload is one further reload after it,
        with what the file says then.
        """
        if self._next is None:
            self._next = asyncio.ensure_future(self._in_turn())
        return await self._next

    async def _in_turn(self) -> Reloaded | NotReloaded:
        async with self.one_at_a_time:
            self._next = None
            before = self._crew.accepted.config
            self._manager.say(RELOADING)
            try:
                prepared = await self.prepared(before)
                await self.relieve(prepared)
            except ReloadRefused as refused:
                return self._refused(before.path, refused)
            finally:
                self._manager.say(READY)
            self._alarms.end(AlarmKind.NOT_RELOADED, WHOLE)
            config = prepared.accepted.config
            warned = tuple(str(warning) for warning in warnings(config) if warning.is_idle)
            outcome = Reloaded(config.path, changes(before, config), warned)
            self._log.reloaded(config.path, outcome.changes)
            return outcome

    def _refused(self, path: str, refused: ReloadRefused) -> NotReloaded:
        """Report each reason in a line of its own, since a line has a bound."""
        texts = [fault.text(path) for fault in refused.faults]
        self._alarms.begin(AlarmKind.NOT_RELOADED, WHOLE, "; ".join(texts))
        for text in texts:
            self._log.not_reloaded(text)
        return NotReloaded(path, refused.faults)

    async def relieve(self, prepared: PreparedRoles) -> None:
        """Give each role's place to its successor."""
        await self._crew.relieve(prepared.accepted, prepared.doors, prepared.successors)

    async def prepared(self, before: Config) -> PreparedRoles:
        """Read the file, and prepare a successor of each role. Raises ReloadRefused."""
        try:
            config = read_config(before.path, self._crew.only)
        except ConfigFaults as faulty:
            raise ReloadRefused(faulty.faults) from None
        doors, closed = self._opened(config)
        faults = [*only_at_start(before, config), *closed]
        try:
            if len(faults) > 0:
                raise ReloadRefused(faults)
            accepted = accepted_now(config)
            successors = await self._prepared(accepted, doors)
        except BaseException:
            for door in doors.values():
                door.close()
            raise
        return PreparedRoles(accepted, doors, successors)

    def _opened(self, config: Config) -> tuple[dict[Endpoint, socket], list[Fault]]:
        """The new sockets to listen on, and those that cannot be opened."""
        opened: dict[Endpoint, socket] = {}
        faults: list[Fault] = []
        for role in self._crew.roles_of(config):
            for endpoint in doors_of(config, role):
                if endpoint in self._crew.doors:
                    continue
                try:
                    opened[endpoint] = open_door(endpoint)
                except NetError as error:
                    if is_optional(config, endpoint):
                        continue
                    # The service itself may have the port, under another address.
                    faults.append(Fault(doors_key(role), 0, refusal_text(error), f"or {RESTART}"))
        return opened, faults

    async def _prepared(self, accepted: Accepted, doors: Mapping[Endpoint, socket]) -> list[RoleProcess]:
        """Successors of all roles, in ORDER. Raises ReloadRefused if one cannot be prepared."""
        roles = [role for role in ORDER if role in self._crew.roles_of(accepted.config)]
        started: list[RoleProcess] = []
        try:
            for role in roles:
                started.append(await self._crew.start(role, accepted, doors))
            refusals = await asyncio.gather(*(one.why_not_prepared() for one in started))
            faults = [
                Fault("", 0, f"the {one.role} role cannot start: {refusal}")
                for one, refusal in zip(started, refusals, strict=True)
                if refusal is not None
            ]
            if len(faults) > 0:
                raise ReloadRefused(faults)
        except BaseException as error:
            await asyncio.gather(*(one.stopped_within(0) for one in started))
            if isinstance(error, OSError):
                why = f"a process cannot be started: {error.strerror}"
                raise ReloadRefused([Fault("", 0, why)]) from None
            raise
        return started
