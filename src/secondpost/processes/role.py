"""One process of the service: runs a role, or all of them, until it is told to stop or cannot go on."""

import asyncio
import gc
import os
import resource
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from socket import socket

import uvloop

from secondpost.app import DeliverRole, ReceiveRole, World
from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.maillog import MailLog
from secondpost.processes.doors import LIFELINE, inherited_doors, refusal_text, systemd_doors
from secondpost.processes.exits import Exit
from secondpost.processes.user import UserRefused, become, person_to_become, prepare_store
from secondpost.store.ports import StoreRefused
from secondpost.store.sqlite import SqliteStore
from secondpost.world.ports import DiskFailed, NetError
from secondpost.world.real_clock import RealClock
from secondpost.world.real_dice import RealDice
from secondpost.world.real_disk import RealDisk
from secondpost.world.real_dns import RealResolver
from secondpost.world.real_log import LogWriter
from secondpost.world.real_net import RealNet, open_door
from secondpost.world.real_tls import CertificateError, ServerCertificate
from secondpost.world.real_work import RealWork

ROLES = ("receive", "deliver")
ROLES_TEXT = " and ".join(ROLES)
# A thread that needs the interpreter waits this long at most for one that does not pause: the writer of
# the store asks for it once a statement.
SWITCH_SECONDS = 0.001
# The usual bound of 1,024 leaves callers who only stand around no room for the files of large messages.
OPEN_FILES_WANTED = 16_384


def run_roles(config: Config, roles: Sequence[str]) -> int:
    """Blocks until the roles have ended; the exit code."""
    for role in roles:
        if role not in ROLES:
            sys.stderr.write(f"secondpost: there is no role {role}; the roles are {ROLES_TEXT}\n")
            return Exit.USAGE
    try:
        doors = _doors(config, roles)
        person = person_to_become(config)
        prepare_store(config, person)
    except NetError as error:
        sys.stderr.write(f"secondpost: {refusal_text(error)}\n")
        return Exit.UNREACHABLE
    except UserRefused as error:
        sys.stderr.write(f"secondpost: {error}\n")
        return Exit.UNREACHABLE
    if person is not None:
        become(person)
    _allow_open_files()
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_Running(config, roles).run(doors))


def _allow_open_files() -> None:
    """As many as we want, if the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES_WANTED if hard == resource.RLIM_INFINITY else min(OPEN_FILES_WANTED, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError):  # a sandbox may forbid it: then the bound stays as it is
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _doors(config: Config, roles: Sequence[str]) -> dict[Endpoint, socket]:
    if "receive" not in roles:
        return {}
    doors = inherited_doors(os.environ)
    doors.update(systemd_doors(os.environ, config.receive.listen))
    for endpoint in config.receive.listen:
        if endpoint not in doors:
            doors[endpoint] = open_door(endpoint)
    return doors


class _Running:
    def __init__(self, config: Config, roles: Sequence[str]) -> None:
        self._config = config
        self._roles = roles
        self._name = "+".join(roles)
        self._clock = RealClock()
        self._stop = asyncio.Event()
        self._exit = Exit.DONE

    async def run(self, doors: Mapping[Endpoint, socket]) -> int:
        work = RealWork()
        writer = LogWriter(self._clock, work.line("log"), self._name)
        log = MailLog(writer.say)
        try:
            async with AsyncExitStack() as ends:
                await self._serve(doors, work, writer, log, ends)
        except (StoreRefused, CertificateError, NetError) as error:
            log.alarm("cannot-start", str(error))
            self._exit = Exit.UNREACHABLE
        log.role_stopped(self._name, "told to stop" if self._exit is Exit.DONE else "cannot go on")
        work.close()
        writer.write_out()
        return self._exit

    async def _serve(
        self,
        doors: Mapping[Endpoint, socket],
        work: RealWork,
        writer: LogWriter,
        log: MailLog,
        ends: AsyncExitStack,
    ) -> None:
        def failed(error: BaseException) -> None:
            log.alarm("role-failed", f"{type(error).__name__}: {error}")
            self._exit = Exit.DISK if isinstance(error, DiskFailed) else Exit.FAILED
            self._stop.set()

        world = self._world(doors, work)
        store = SqliteStore.open(world.disk, work, world.clock, role=self._name, failed=failed)
        ends.callback(store.close)
        if "receive" in self._roles:
            receive = ReceiveRole(self._config, world, store, writer.say, failed)
            await receive.start()
            ends.push_async_callback(receive.drain)
        if "deliver" in self._roles:
            deliver = DeliverRole(self._config, world, store, writer.say, failed)
            await deliver.start()
            ends.push_async_callback(deliver.drain)
        log.role_started(self._name, store.worker)
        self._listen_for_the_end()
        gc.freeze()  # what was loaded stays: the collector need not look through it again and again
        await self._stop.wait()

    def _world(self, doors: Mapping[Endpoint, socket], work: RealWork) -> World:
        tls = self._config.tls
        certificate = None
        if tls.certificate is not None and tls.key is not None:
            certificate = ServerCertificate(tls.certificate, tls.key)
        dice = RealDice()
        return World(
            clock=self._clock,
            dice=dice,
            net=RealNet(inherited=doors, certificate=certificate),
            resolver=RealResolver(self._config.dns.servers, dice),
            work=work,
            disk=RealDisk(self._config.store),
        )

    def _listen_for_the_end(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        lifeline = os.environ.get(LIFELINE)
        if lifeline is not None:  # a supervisor that was killed leaves no orphans behind
            loop.add_reader(int(lifeline), self._stop.set)
