"""Open the listening sockets, drop root, and run each role in its own process.

A role that dies is restarted after a pause that doubles (keeper); one whose disk failed ends all
roles at once. The supervisor handles no mail; it holds one lock in the store, so that there is only
one service.
"""

import asyncio
import os
import pwd
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from socket import socket
from typing import TYPE_CHECKING

import msgspec

from secondpost.config.faults import ConfigFaults
from secondpost.config.reading import parse_config
from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.store_rooms import ROLES
from secondpost.mail.tally import Tally
from secondpost.maillog import MailLog
from secondpost.processes.accepted import Accepted, accepted_now
from secondpost.processes.crew import Crew
from secondpost.processes.doors import adopted_door, is_taken, systemd_doors
from secondpost.processes.environment import take_no_new_privileges
from secondpost.processes.exits import ProcessExit, not_started
from secondpost.processes.handed_over import HandedOver, SuccessionStep, become_program
from secondpost.processes.instance import SecondInstance, hold_service, wait_for_place
from secondpost.processes.own_rooms import (
    is_prepared_for,
    log_migrated,
    migrate_unless_prepared,
    settle_unless_prepared,
    take_back_unless_prepared,
)
from secondpost.processes.reload import Reload
from secondpost.processes.reload_desk import ReloadDesk
from secondpost.processes.roles import doors_of, is_optional, roles_of
from secondpost.processes.signals import listen_for_signals
from secondpost.processes.succession import Succession, hear_signals
from secondpost.processes.user import (
    SystemUser,
    UserRefused,
    become,
    keep_from_others,
    need_what_is_named,
    prepare_store,
    service_user,
)
from secondpost.processes.watchdog import Watchdog, roles_text
from secondpost.protocols.alarm_statements import SUPERVISOR, supervisor_of
from secondpost.setup.unit_users import user_of_role
from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
from secondpost.world.ports import DiskFailed, DiskFull, NetError
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk, RealHeld
from secondpost.world.real.journal import journal_of
from secondpost.world.real.log import STDERR, LogWriter
from secondpost.world.real.net import RealNet, open_door
from secondpost.world.real.service_manager import READY, STOPPING, ServiceManager, status
from secondpost.world.real.socket_peer import SocketPeer
from secondpost.world.real.work import RealWork
from secondpost.world.sockets.alarms import ALARMS, AlarmReporter
from secondpost.world.sockets.tallies import TALLIES, TallyReporter

if TYPE_CHECKING:
    from secondpost.processes.migrating import MigratedDatabase

CANNOT_PREPARE = (
    NetError,
    UserRefused,
    SecondInstance,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
    DiskFull,
    DiskFailed,
)
DOOR_SECONDS_MAX = 10.0  # roles of a killed predecessor need a moment to release the ports


def supervise(config: Config, only: str | None = None) -> int:
    """Run all roles that the configuration needs, or `only` this one, until stopped."""
    if only is not None and len(roles_of(config, only)) == 0:
        return _not_needed(config, only)
    try:
        person = service_user(config)
        doors = asyncio.run(_open_doors(config, only))
        is_prepared = is_prepared_for(config, roles_of(config, only))
        if not is_prepared:
            prepare_store(config, person)
        if person is not None:
            become(person)
            need_what_is_named(config, person, only)
        if is_prepared:
            keep_from_others()
        is_moved = settle_unless_prepared(config, is_prepared=is_prepared)
        disk = RealDisk(config.store)
        held = hold_service(disk, config, only)
        if only is not None:  # of a whole service, each role waits for its own place
            asyncio.run(wait_for_place(disk, config, only))
        is_back = take_back_unless_prepared(config, is_prepared=is_prepared)
        migrated = migrate_unless_prepared(config, is_prepared=is_prepared)
        assert isinstance(held, RealHeld)  # as a RealDisk gives
    except CANNOT_PREPARE as error:
        return not_started(error)
    take_no_new_privileges()
    try:
        supervisor = _Supervisor(accepted_now(config), doors, person, only, held)
        supervisor.is_moved, supervisor.is_back = is_moved, is_back
        supervisor.migrated = migrated
        return asyncio.run(supervisor.run())
    finally:
        held.release()


def succeed(handed: HandedOver) -> int:
    """Go on where the program before this one was, with its sockets and processes."""
    try:
        config = parse_config(handed.text, handed.path, are_files_checked=False)
    except ConfigFaults as faulty:
        why = tuple(faulty.texts())
        become_program(handed.program, msgspec.structs.replace(handed, step=SuccessionStep.RESUME, why=why))
    doors = {Endpoint.parse(at): adopted_door(door) for at, door in handed.doors.items()}
    os.set_inheritable(handed.lock, False)
    held = RealHeld(handed.lock)
    try:
        supervisor = _Supervisor(Accepted(config, handed.copies), doors, None, handed.only, held)
        supervisor.handed = handed
        return asyncio.run(supervisor.run())
    finally:
        held.release()


def _not_needed(config: Config, role: str) -> int:
    if role in ROLES:
        why = f"the configuration {config.path} needs no {role} role, but {', '.join(roles_of(config))}"
    else:
        why = f"there is no role {role}; the roles are {', '.join(ROLES)}"
    sys.stderr.write(f"secondpost: {why}\n")
    return ProcessExit.USAGE


async def _open_doors(config: Config, only: str | None) -> dict[Endpoint, socket]:
    wanted = tuple(endpoint for role in roles_of(config, only) for endpoint in doors_of(config, role))
    doors = systemd_doors(os.environ, wanted)
    for endpoint in sorted(wanted, key=partial(is_optional, config)):
        if endpoint in doors:
            continue
        if not is_optional(config, endpoint):
            doors[endpoint] = await _open_door(endpoint)
            continue
        with suppress(NetError):  # the deliver role tries again, and logs it
            doors[endpoint] = open_door(endpoint)
    return doors


async def _open_door(endpoint: Endpoint) -> socket:
    loop = asyncio.get_running_loop()
    until = loop.time() + DOOR_SECONDS_MAX
    waits = False
    while True:
        try:
            return open_door(endpoint)
        except NetError as error:
            if not is_taken(error) or loop.time() >= until:
                raise
            if not waits:
                waits = True
                sys.stderr.write(f"secondpost: {error}; waiting {DOOR_SECONDS_MAX:g} s for it\n")
        await asyncio.sleep(0.2)


def alarm_of_root(person: SystemUser | None, effective_user: int, alarms: StandingAlarms) -> None:
    """Begin the alarm if the service stays root; it ends with the service."""
    if person is None and effective_user == 0:
        alarms.begin(AlarmKind.RUNS_AS_ROOT, "", "make a user for the service and name it with `user`")


def other_role_users() -> frozenset[int]:
    """The numbers of the roles' users on this machine, without ours."""
    found = set()
    for role in ROLES:
        with suppress(KeyError):
            found.add(pwd.getpwnam(user_of_role(role)).pw_uid)
    return frozenset(found - {os.geteuid()})


class _Supervisor:
    def __init__(
        self,
        accepted: Accepted,
        doors: dict[Endpoint, socket],
        person: SystemUser | None,
        only: str | None,
        held: RealHeld,
    ) -> None:
        self._accepted = accepted
        self._config = accepted.config
        self._only = only
        self._held = held
        self.is_moved = False  # the store was, at this start
        self.migrated: Sequence[MigratedDatabase] = ()  # the same
        self.is_back = False  # an upgrade that was under way was taken back, at this start
        self.handed: HandedOver | None = None  # by the program before this one
        self._manager = ServiceManager(os.environ)
        self._doors = doors
        self._person = person
        self._stop = asyncio.Event()
        self._exit = ProcessExit.DONE

    async def run(self) -> int:
        work = RealWork(threads=1)
        clock = RealClock()
        name = SUPERVISOR if self._only is None else supervisor_of(self._only)
        writer = LogWriter(clock, work.line("log"), name, journal=journal_of(os.environ, STDERR))
        log = MailLog(writer.say)
        alarms = StandingAlarms(log.alarm, clock.now_ms, say_over=log.alarm_over)
        net, path = RealNet(), RealDisk(self._config.store).path(ALARMS)
        stating = [AlarmReporter(net, path, name, alarms).run()]
        tally = Tally()
        if len(self._config.metrics.listen) > 0:
            path = RealDisk(self._config.store).path(TALLIES)
            stating.append(TallyReporter(net, path, name, tally).run())
        reporters = [asyncio.ensure_future(one) for one in stating]
        if self.is_moved:
            log.store_moved(self._config.store)
        if self.is_back:
            log.store_back(self._config.store)
        log_migrated(log, self.migrated)
        alarm_of_root(self._person, os.geteuid(), alarms)
        try:
            await self._serve(log, alarms, tally, writer.write_out, work)
        except (NetError, DiskFailed) as error:
            self._exit = not_started(error)
        for reporter in reporters:
            reporter.cancel()
        net.close()
        self._manager.close()
        work.close()
        writer.end()
        return self._exit

    async def _serve(
        self,
        log: MailLog,
        alarms: StandingAlarms,
        tally: Tally,
        write_log: Callable[[], None],
        work: RealWork,
    ) -> None:
        def disk_failed(role: str) -> None:
            """Kill all roles, since their answers and writes cannot be relied on.

            The next start repairs every state that a crash leaves.
            """
            detail = f"{role}: what the disk holds is unknown; every role ends at once"
            alarms.begin(AlarmKind.DISK_FAILED, "", detail)
            self._exit = ProcessExit.DISK
            self._stop.set()
            crew.kill()

        crew = Crew(self._accepted, self._doors, log, alarms, disk_failed, tally, self._only)
        users = other_role_users()

        def is_role(peer: SocketPeer) -> bool:
            return crew.has(peer.process) or peer.user in users

        reload = Reload(crew, log, alarms, self._manager)
        succession = Succession(crew, reload, log, self._held.descriptor, write_log, work)
        desk = ReloadDesk(reload, succession, alarms, is_role)
        listen_for_signals(self._stop, desk.hung_up)
        hear_signals()
        if self.handed is not None:
            crew.adopt(self.handed.roles)
            if self.handed.step is not SuccessionStep.TAKE:
                crew.begin()
            desk.go_on(self.handed)
        await desk.open(self._config, self._only)
        if self.handed is None:
            crew.begin()
        watched = asyncio.ensure_future(self._be_watched(crew))
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((stopped, crew.broken), return_when=asyncio.FIRST_COMPLETED)
        watched.cancel()
        self._manager.say(STOPPING, status("Finishing what was begun"))
        desk.close()
        if crew.broken.done():
            crew.kill()
            crew.broken.result()
        await crew.stop()

    async def _be_watched(self, crew: Crew) -> None:
        """Say when the service is up, and from then on that it lives."""
        await crew.settled()
        self._manager.say(READY, status(roles_text(crew)))
        crew.log_doors(crew.doors)
        await Watchdog(self._manager, crew.serving).run()
