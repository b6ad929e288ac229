"""Open the listening sockets, drop root, run each role in its own process and restart it.

A role that dies is restarted after a pause that doubles; one whose disk failed ends all roles at
once. The supervisor handles no mail; it holds one lock in the store, so that there is only one
service.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from socket import socket

from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.maillog import MailLog
from secondpost.processes.doors import (
    DOORS_VARIABLE,
    LIFELINE,
    doors_text,
    is_taken,
    systemd_doors,
)
from secondpost.processes.environment import cleared, take_no_new_privileges
from secondpost.processes.exits import ProcessExit, not_started
from secondpost.processes.health import HEALTHY_SECONDS, RoleHealth
from secondpost.processes.instance import SecondInstance, hold_service
from secondpost.processes.roles import doors_of, roles_of
from secondpost.processes.signals import listen_for_signals
from secondpost.processes.user import SystemUser, UserRefused, become, prepare_store, service_user
from secondpost.protocols.alarm_statements import SUPERVISOR
from secondpost.world.ports import DiskFailed, DiskFull, NetError
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.log import LogWriter
from secondpost.world.real.net import RealNet, open_door
from secondpost.world.real.work import RealWork
from secondpost.world.sockets.alarms import ALARMS, AlarmReporter

PAUSE_SECONDS_FIRST = 0.5
PAUSE_SECONDS_MAX = 60.0
DOOR_SECONDS_MAX = 10.0  # roles of a killed predecessor need a moment to release the ports
STOP_SECONDS_MAX = 40.0  # longer than a role drains; then it is killed


def supervise(config: Config) -> int:
    try:
        person = service_user(config)
        doors = asyncio.run(_open_doors(config))
        prepare_store(config, person)
        if person is not None:
            become(person)
        held = hold_service(RealDisk(config.store), config)
    except (NetError, UserRefused, SecondInstance, DiskFull, DiskFailed) as error:
        return not_started(error)
    take_no_new_privileges()
    try:
        return asyncio.run(_Supervisor(config, doors, person).run())
    finally:
        held.release()


async def _open_doors(config: Config) -> dict[Endpoint, socket]:
    wanted = tuple(endpoint for role in roles_of(config) for endpoint in doors_of(config, role))
    doors = systemd_doors(os.environ, wanted)
    for endpoint in wanted:
        if endpoint not in doors:
            doors[endpoint] = await _open_door(endpoint)
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


class _Supervisor:
    def __init__(self, config: Config, doors: dict[Endpoint, socket], person: SystemUser | None) -> None:
        self._config = config
        self._doors = doors
        self._person = person
        self._stop = asyncio.Event()
        self._exit = ProcessExit.DONE
        self._living: set[Process] = set()
        self._lifeline_read, self._lifeline_write = os.pipe()

    async def run(self) -> int:
        work = RealWork(threads=1)
        clock = RealClock()
        writer = LogWriter(clock, work.line("log"), "supervisor")
        log = MailLog(writer.say)
        alarms = StandingAlarms(log.alarm, clock.now_ms, say_over=log.alarm_over)
        net, path = RealNet(), RealDisk(self._config.store).path(ALARMS)
        reporter = asyncio.ensure_future(AlarmReporter(net, path, SUPERVISOR, alarms).run())
        listen_for_signals(self._stop, alarms)
        if self._person is None and os.geteuid() == 0:
            alarms.begin(AlarmKind.RUNS_AS_ROOT, "", "make a user for the service and name it with `user`")
        await asyncio.gather(*(self._keep_up(role, log, alarms) for role in roles_of(self._config)))
        os.close(self._lifeline_write)
        reporter.cancel()
        net.close()
        work.close()
        writer.write_out()
        return self._exit

    async def _keep_up(self, role: str, log: MailLog, alarms: StandingAlarms) -> None:
        loop = asyncio.get_running_loop()
        pause = PAUSE_SECONDS_FIRST
        health = RoleHealth(role, alarms)
        while not self._stop.is_set():
            begun = loop.time()
            process = await self._start(role)
            health.started()
            code = await self._see_through(process)
            if code == ProcessExit.DISK:
                detail = f"{role}: what the disk holds is unknown; every role ends at once"
                alarms.begin(AlarmKind.DISK_FAILED, "", detail)
                self._end_all()
            if self._stop.is_set():
                health.stopped()
                return
            how = f"{_how(code)}; it is started again in {pause:g} s"
            log.role_stopped(role, how)
            health.died(how)
            if loop.time() - begun >= HEALTHY_SECONDS:
                pause = PAUSE_SECONDS_FIRST
            await self._sleep(pause)
            pause = min(pause * 2, PAUSE_SECONDS_MAX)

    async def _start(self, role: str) -> Process:
        doors = {endpoint: self._doors[endpoint] for endpoint in doors_of(self._config, role)}
        environment = cleared(os.environ)
        environment |= {LIFELINE: str(self._lifeline_read), DOORS_VARIABLE: doors_text(doors)}
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # no modules from the current folder
            "-m",
            "secondpost",
            "--config",
            os.path.abspath(self._config.path),
            "serve",
            "--role",
            role,
            env=environment,
            pass_fds=(self._lifeline_read, *(door.fileno() for door in doors.values())),
            stdin=asyncio.subprocess.DEVNULL,
            # Ctrl-C at the terminal reaches only the supervisor, which lets each role finish.
            start_new_session=True,
        )

    async def _see_through(self, process: Process) -> int:
        """Wait until a role's process ends; stop it when the service stops. Returns its exit code."""
        self._living.add(process)
        ended = asyncio.ensure_future(process.wait())
        stopped = asyncio.ensure_future(self._stop.wait())
        await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not ended.done():
            process.send_signal(signal.SIGKILL if self._exit is ProcessExit.DISK else signal.SIGTERM)
            try:
                async with asyncio.timeout(STOP_SECONDS_MAX):
                    await asyncio.shield(ended)
            except TimeoutError:
                process.kill()
        code = await ended
        self._living.discard(process)
        return code

    def _end_all(self) -> None:
        """A disk failed: kill all roles, since their answers and writes cannot be relied on.

        The next start repairs every state that a crash leaves.
        """
        self._exit = ProcessExit.DISK
        self._stop.set()
        for process in self._living:
            if process.returncode is None:
                process.kill()

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return


def _how(code: int) -> str:
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit code {code}"
