"""One process of the service: runs one role or all of them, until stopped or unable to continue.

Modules that only one role needs are imported where that role starts, so that the other processes do
not hold them in memory.
"""

import asyncio
import gc
import os
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from functools import partial
from socket import socket
from typing import TYPE_CHECKING, NoReturn

import uvloop

from secondpost.config.files import OpenToRead, open_to_read
from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.metrics import Metric
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.tally import Tally
from secondpost.mail.walls import StandingWalls
from secondpost.maillog import MailLog
from secondpost.processes.accepted import Accepted
from secondpost.processes.certificate import server_certificate
from secondpost.processes.doors import inherited_doors, systemd_doors
from secondpost.processes.exits import ProcessExit, not_started
from secondpost.processes.instance import SecondInstance, hold_role, hold_service
from secondpost.processes.named_files import inherited_files, named_files
from secondpost.processes.own_rooms import (
    is_prepared_for,
    log_migrated,
    migrate_unless_prepared,
    settle_unless_prepared,
)
from secondpost.processes.place import Place
from secondpost.processes.role_builder import RoleBuilder
from secondpost.processes.roles import doors_of, is_optional, roles_of
from secondpost.processes.signals import listen_for_signals
from secondpost.processes.stating import look_for_unnamed, state
from secondpost.processes.tether import Word
from secondpost.processes.user import UserRefused, become, keep_from_others, prepare_store, service_user
from secondpost.processes.walls import raise_walls
from secondpost.protocols.dkim.signing import SigningKey
from secondpost.protocols.tokens import Ring
from secondpost.roles.parts import Parts, Role, World
from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
from secondpost.world.ports import Disk, DiskFailed, DiskFull, Held, KeyFault, NetError
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.journal import journal_of
from secondpost.world.real.landlock import LandlockRefused
from secondpost.world.real.log import STDERR, LogWriter
from secondpost.world.real.net import RealNet, open_door
from secondpost.world.real.seccomp import SeccompRefused
from secondpost.world.real.tls import CertificateError, ServerCertificate
from secondpost.world.real.work import SWITCH_SECONDS, RealWork

if TYPE_CHECKING:
    from secondpost.processes.migrating import MigratedDatabase
    from secondpost.store.sqlite import SqliteStore
    from secondpost.store.sqlite.newsletter import SqliteNewsletterStore

# The usual limit of 1,024 would let idle connections leave no descriptors for the files of large
# messages.
OPEN_FILES_WANTED = 16_384
LAST_WORDS_SECONDS_MAX = 0.3
KEYS_SECONDS_MAX = 20.0  # two large primes take a slow machine a few seconds
KEYS_POLL_SECONDS = 0.1
# A failed disk is not among these: it ends the role at once, with another exit code.
CANNOT_START = (
    CertificateError,
    DiskFull,
    KeyFault,
    NetError,
    SecondInstance,
    StoreFull,
    StoreRefused,
    StoreUnavailable,
)


def run_roles(accepted: Accepted, roles: Sequence[str], *, is_supervised: bool = True) -> int:
    """Run roles until they end; returns the exit code."""
    config = accepted.config
    try:
        doors = _doors(config, roles)
        person = service_user(config)
        is_prepared = is_prepared_for(config, roles)
        if not is_prepared:
            prepare_store(config, person)
        if person is not None:
            become(person)
        if is_prepared:
            keep_from_others()
        is_moved = settle_unless_prepared(config, is_prepared=is_prepared)
        # The supervisor did it before it started us; and beside its other roles it cannot be done.
        migrated = migrate_unless_prepared(config, is_prepared=is_prepared or is_supervised)
    except (*CANNOT_START, UserRefused, DiskFailed) as error:
        return not_started(error)
    _allow_open_files()
    files = inherited_files(os.environ, config)
    named = [path for role in roles for path in named_files(config, role)]
    try:
        walls = raise_walls(config, roles, named if files is None else [])
    except (LandlockRefused, SeccompRefused, OSError) as error:
        return not_started(error)
    sys.setswitchinterval(SWITCH_SECONDS)
    running = _Running(accepted, roles, walls, open_to_read if files is None else files.open)
    running.is_moved, running.migrated = is_moved, migrated
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(running.run(doors))


def _end_at_once(writer: LogWriter) -> NoReturn:
    """Exit without draining: nothing could be made durable, and no client may be answered any more.

    This is like a crash: the next start repairs what it leaves.
    """
    writer.write_out_within(LAST_WORDS_SECONDS_MAX)
    os._exit(ProcessExit.DISK)


def _allow_open_files() -> None:
    """Raise the limit on open files to OPEN_FILES_WANTED, as far as the system permits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES_WANTED if hard == resource.RLIM_INFINITY else min(OPEN_FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError):  # a sandbox may forbid it: keep the limit
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _doors(config: Config, roles: Sequence[str]) -> dict[Endpoint, socket]:
    wanted = tuple(endpoint for role in roles for endpoint in doors_of(config, role))
    if len(wanted) == 0:
        return {}
    doors = inherited_doors(os.environ)
    doors.update(systemd_doors(os.environ, wanted))
    for endpoint in wanted:
        if endpoint not in doors and not is_optional(config, endpoint):
            doors[endpoint] = open_door(endpoint)
    return doors


async def _start(role: Role, ends: AsyncExitStack) -> None:
    await role.start()
    ends.push_async_callback(role.drain)


class _Running:
    def __init__(
        self, accepted: Accepted, roles: Sequence[str], walls: StandingWalls, open_file: OpenToRead
    ) -> None:
        self._config = accepted.config
        self._copies = accepted.copies
        self._roles = roles
        self._walls = walls
        self.is_moved = False  # the store was, at this start
        self.migrated: Sequence[MigratedDatabase] = ()  # the same
        self._open_file = open_file
        self._name = "+".join(roles)
        self._clock = RealClock()
        self._stop = asyncio.Event()
        self._tally = Tally()
        self._place = Place.of(os.environ, self._stop)
        self._exit = ProcessExit.DONE

    async def run(self, doors: Mapping[Endpoint, socket]) -> int:
        work = RealWork()
        writer = LogWriter(self._clock, work.line("log"), self._name, journal=journal_of(os.environ, STDERR))
        log = MailLog(writer.say)
        alarms = StandingAlarms(log.alarm, self._clock.now_ms, say_over=log.alarm_over)
        try:
            async with AsyncExitStack() as ends:
                try:
                    await self._serve(doors, work, writer, log, alarms, ends)
                except DiskFailed as error:
                    alarms.begin(AlarmKind.CANNOT_START, self._name, str(error))
                    _end_at_once(writer)
        except CANNOT_START as error:
            self._cannot_start(error, alarms)
        except DiskFailed as error:
            alarms.begin(AlarmKind.ROLE_FAILED, self._name, f"{type(error).__name__}: {error}")
            _end_at_once(writer)
        log.role_stopped(self._name, self._why_stopped())
        work.close()
        writer.end()
        return self._exit

    def _why_stopped(self) -> str:
        if self._exit is not ProcessExit.DONE:
            return "cannot go on"
        return "told to stop" if self._stop.is_set() else "replaced by a successor"

    def _cannot_start(self, error: Exception, alarms: StandingAlarms) -> None:
        """Report it; until it begins, the supervisor decides what it means."""
        if self._place.has_begun:
            alarms.begin(AlarmKind.CANNOT_START, self._name, str(error))
        else:
            self._place.say(Word.REFUSED, str(error))
        self._exit = ProcessExit.UNREACHABLE

    async def _serve(
        self,
        doors: Mapping[Endpoint, socket],
        work: RealWork,
        writer: LogWriter,
        log: MailLog,
        alarms: StandingAlarms,
        ends: AsyncExitStack,
    ) -> None:
        def failed(error: BaseException) -> None:
            alarms.begin(AlarmKind.ROLE_FAILED, self._name, f"{type(error).__name__}: {error}")
            if isinstance(error, DiskFailed):
                _end_at_once(writer)
            self._exit = ProcessExit.FAILED
            self._stop.set()

        listen_for_signals(self._stop, partial(self._hung_up, alarms))
        self._place.listen()
        self._web_doors = {at: door for at, door in doors.items() if at in doors_of(self._config, "web")}
        mail_doors = {at: door for at, door in doors.items() if at not in self._web_doors}
        world = self._world(mail_doors, work)
        mail, readers = self._stores(world, failed, ends)
        own_keys = self._own_keys()
        if readers is not None and "web" in self._roles:
            await self._wait_for_link_keys()
        parts = Parts(
            self._config,
            world,
            writer.say,
            failed,
            alarms,
            mail,
            readers,
            own_keys=own_keys,
            copies=self._copies,
            open_file=self._open_file,
            tally=self._tally,
            own_roles=frozenset(self._roles),
            all_roles=frozenset(roles_of(self._config)),
        )
        roles = RoleBuilder(self._roles, self._web_doors, self._place.makers).built(parts, ends)
        self._place.say(Word.PREPARED)
        await self._place.until(Word.BEGIN)
        if self._stop.is_set():
            return
        held = await self._hold_the_store(world.disk, ends)
        stating = await ends.enter_async_context(AsyncExitStack())
        if "deliver" in self._roles:  # there is only one such role
            await look_for_unnamed(self._config, readers, alarms, failed, stating)
        else:  # deliver has what stands in its own process
            state(self._config, world, self._name, alarms, self._tally, failed, stating)
        for role in roles:
            await _start(role, ends)
        worker = next((store.worker for store in (mail, readers) if store is not None), 0)
        if self.is_moved:
            log.store_moved(self._config.store)
        log_migrated(log, self.migrated)
        log.walls(self._name, self._walls)
        log.role_started(self._name, worker)
        self._place.say(Word.SERVING)
        gc.freeze()  # loaded modules stay: spare the collector from scanning them
        await self._place.until(Word.REST, Word.LEAVE)
        for role in roles:
            role.rest()
        # Released now: what is still finishing may overlap with the next instance.
        for one in held:
            one.release()
        await self._place.until(Word.LEAVE)
        if not self._stop.is_set():
            await stating.aclose()  # the successor states its own alarms
            await self._hand_over(roles)

    async def _hand_over(self, roles: Sequence[Role]) -> None:
        """Let all come to its own end; a stop cuts this short."""
        handing = asyncio.gather(*(role.hand_over() for role in roles))
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((handing, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if handing.done():
            handing.result()
        else:
            handing.cancel()

    def _hung_up(self, alarms: StandingAlarms) -> None:
        """React to SIGHUP: with a supervisor by nothing, since that one reloads."""
        if not self._place.is_supervised:
            why = "without its supervisor this process reads its configuration only at start"
            alarms.begin(AlarmKind.NOT_RELOADED, "", why)

    async def _hold_the_store(self, disk: Disk, ends: AsyncExitStack) -> list[Held]:
        """Take the locks of these roles; they are released before the roles finish. Raises
        SecondInstance.
        """
        if len(self._roles) > 1:
            ends.callback(hold_service(disk, self._config).release)
        held = []
        for role in self._roles:
            one = await hold_role(disk, self._config, role)
            if one is not None:
                ends.callback(one.release)
                held.append(one)
        return held

    def _stores(
        self, world: World, failed: Callable[[BaseException], None], ends: AsyncExitStack
    ) -> "tuple[SqliteStore | None, SqliteNewsletterStore | None]":
        """Open only the stores that the roles may see: a hijacked receive role cannot read the list
        of readers, a hijacked web role no mail.
        """
        if "fetch" in self._roles and len(self._roles) == 1:
            return None, None
        from secondpost.store.sqlite import SqliteStore
        from secondpost.store.sqlite.newsletter import SqliteNewsletterStore

        mail: SqliteStore | None = None
        readers: SqliteNewsletterStore | None = None
        if not {"receive", "deliver"}.isdisjoint(self._roles):
            mail = SqliteStore.open(
                world.disk,
                world.work,
                world.clock,
                role=self._name,
                failed=failed,
                took=lambda seconds: self._tally.observe(Metric.COMMITS, seconds, "mail"),
                migrates=False,
            )
            ends.callback(mail.close)
        has_newsletter = len(self._config.newsletters) > 0
        if has_newsletter and not {"deliver", "publish", "web"}.isdisjoint(self._roles):
            readers = SqliteNewsletterStore.open(
                world.disk,
                world.work,
                world.clock,
                role=self._name,
                failed=failed,
                took=lambda seconds: self._tally.observe(Metric.COMMITS, seconds, "newsletter"),
                migrates=False,
            )
            ends.callback(readers.close)
        if "deliver" in self._roles:
            from secondpost.world.real.keys import make_missing_keys

            make_missing_keys(self._config.store, self._config.dkim, world.dice)
        return mail, readers

    async def _wait_for_link_keys(self) -> None:
        """The deliver role makes them, at the first start of a service. Without them loading fails."""
        from secondpost.world.real.keys import ring_path

        path = ring_path(self._config.store, Ring.LINKS)
        loop = asyncio.get_running_loop()
        until = loop.time() + KEYS_SECONDS_MAX
        while not os.path.exists(path) and loop.time() < until:
            await asyncio.sleep(KEYS_POLL_SECONDS)

    def _own_keys(self) -> Sequence[SigningKey]:
        """The keys for mail to the owner, which only the deliver role sends."""
        if "deliver" not in self._roles:
            return ()
        from secondpost.world.real.keys import load_signing_keys

        return load_signing_keys(self._config.store, self._config.dkim)

    def _world(self, doors: Mapping[Endpoint, socket], work: RealWork) -> World:
        dice = RealDice()
        return World(
            clock=self._clock,
            dice=dice,
            net=RealNet(inherited=doors, certificate=self._certificate()),
            resolver=RealResolver(self._config.dns.servers, dice, open_file=self._open_file),
            work=work,
            disk=RealDisk(self._config.store),
        )

    def _certificate(self) -> ServerCertificate | None:
        if "receive" not in self._roles:
            return None
        return server_certificate(self._config, self._copies, self._open_file)
