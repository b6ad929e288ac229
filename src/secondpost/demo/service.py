"""The real Secondpost: `secondpost serve` as a process, and its commands."""

import asyncio
import os
import pwd
import signal
import sys
from asyncio.subprocess import Process
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import secondpost

READY_SECONDS = 20.0
STOP_SECONDS = 10.0
COMMAND_SECONDS = 20.0
LOG_LINES_SHOWN = 25


class NotStarted(Exception):
    """The service did not start; the text has the end of its log."""


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str


@dataclass(slots=True)
class Service:
    folder: Path
    config: Path
    host: str
    port: int
    process: Process | None = None
    commands: set[Process] = field(default_factory=set)  # currently running

    async def start(self) -> None:
        """Start the service and wait for its greeting. Raises NotStarted."""
        with open(self.log, "ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self._line("serve"),
                cwd=self.folder,
                env=_environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the demo, which then stops the service
            )
        try:
            await asyncio.wait_for(self._greeted(), READY_SECONDS)
        except TimeoutError:
            raise NotStarted(
                f"secondpost serve did not greet on {self.host}:{self.port}\n{self.end_of_log()}"
            ) from None

    async def _greeted(self) -> None:
        while not await self.greets():
            if self.process is not None and self.process.returncode is not None:
                raise NotStarted(
                    f"secondpost serve ended with {self.process.returncode}\n{self.end_of_log()}"
                )
            await asyncio.sleep(0.05)

    async def greets(self) -> bool:
        """Whether a server greets with 220 on the service's port."""
        try:
            reader, writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            return False
        try:
            greeting = await reader.readline()
            writer.write(b"QUIT\r\n")
            await reader.readline()
        except OSError:
            return False
        finally:
            writer.transport.abort()
        return greeting.startswith(b"220")

    async def stop(self) -> int | None:
        """Stop the service and all commands; return the exit code, None if it was killed."""
        for command in list(self.commands):
            command.kill()
            await command.wait()
        process, self.process = self.process, None
        if process is None:
            return None
        family = family_of(process.pid)
        if process.returncode is None:
            process.terminate()
        try:
            return await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            return None
        finally:
            kill(family)
            await process.wait()

    async def kill(self) -> None:
        """Kill all its processes at once, as in a power cut."""
        process, self.process = self.process, None
        if process is not None:
            kill(family_of(process.pid))
            await process.wait()

    async def command(self, *words: str) -> Answer:
        """Run `secondpost WORDS` as the owner would."""
        process = await asyncio.create_subprocess_exec(
            *self._line(*words),
            cwd=self.folder,
            env=_environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self.commands.add(process)
        try:
            out, err = await asyncio.wait_for(process.communicate(), COMMAND_SECONDS)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            self.commands.discard(process)
        return Answer(process.returncode or 0, out.decode(), err.decode())

    @property
    def log(self) -> Path:
        return self.folder / "secondpost.log"

    def end_of_log(self) -> str:
        """The last lines of the log."""
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])

    def _line(self, *words: str) -> tuple[str, ...]:
        return (sys.executable, "-m", "secondpost", "--config", str(self.config), *words)


@dataclass(frozen=True, slots=True)
class Member:
    """A process; the start time distinguishes it from a later one with the same id."""

    pid: int
    parent: int
    started: str  # in clock ticks since boot


def family_of(leader: int) -> list[Member]:
    """The process and all its descendants, youngest generation first."""
    members = [
        member for path in Path("/proc").glob("[0-9]*") if (member := _member(int(path.name))) is not None
    ]
    family = [member for member in members if member.pid == leader]
    for elder in family:  # grows during the loop
        family += [member for member in members if member.parent == elder.pid]
    return family[::-1]


def kill(family: list[Member]) -> None:
    for member in family:
        now = _member(member.pid)
        if now is not None and now.started == member.started:
            with suppress(ProcessLookupError):
                os.kill(member.pid, signal.SIGKILL)


def processes_in(folder: Path) -> list[str]:
    """The command lines that contain this folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # ended since it was listed
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in line:
                found.append(line)
    return found


def _member(pid: int) -> Member | None:
    """The process, or None if it does not exist (proc(5): stat)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return Member(pid, int(fields[1]), fields[19])


def _environment() -> dict[str, str]:
    """The environment for this very package, wherever the demo was started."""
    here = str(Path(secondpost.__file__).resolve().parent.parent)
    further = [os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    others = {name: value for name, value in os.environ.items() if name != "SECONDPOST_CONFIG"}
    return {**others, "PYTHONPATH": os.pathsep.join([here, *further]), "PYTHONSAFEPATH": "1"}


def user_name() -> str | None:
    """The user of the demo, so that a service started by root does not switch to another one."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return None
