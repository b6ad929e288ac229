"""Processes that sign and read returned mail for the deliver role, and parse feeds for the fetch role.
The supervisor starts them, since behind its walls a role cannot run a program.

The role asks over the tether, with the socket that becomes the process's standard input.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from functools import partial
from socket import socket
from typing import Protocol

from secondpost.processes.environment import cleared
from secondpost.processes.tether import Tether, Word

SIGNERS_MAX = 4
MAKERS_MAX = SIGNERS_MAX + 1  # of one role: those that sign, and one that reads


class MakerProgram(StrEnum):
    """The module that such a process runs."""

    SIGNER = "secondpost.processes.signer"
    FEED_READER = "secondpost.processes.feed_reader"
    REPORT_READER = "secondpost.processes.report_reader"


class Maker(Protocol):
    """A process that does a role's work. `ended` gets how it ended, in words."""

    @property
    def number(self) -> int | None:
        """Of its process; None until that is started."""

    @property
    def ended(self) -> asyncio.Future[str]: ...

    def kill(self) -> None: ...


StartMaker = Callable[[socket], Maker]  # its standard input, which stays the caller's


class AskedMakers:
    """The role's end: has the supervisor start them."""

    def __init__(self, tether: Tether) -> None:
        self._tether = tether
        self._asked: dict[int, AskedMaker] = {}
        self._count = 0

    def start(self, program: MakerProgram, door: socket) -> "AskedMaker":
        self._count += 1
        maker = self._asked[self._count] = AskedMaker(self._count, self._tether)
        self._tether.say(Word.MAKE, f"{self._count} {program.value}", door)
        return maker

    def hear(self, text: str) -> None:
        """Hear the word ENDED."""
        number, _, how = text.partition(" ")
        maker = self._asked.pop(int(number), None)
        if maker is not None and not maker.ended.done():
            maker.ended.set_result(how)


class AskedMaker:
    number = None  # which only the supervisor knows

    def __init__(self, number: int, tether: Tether) -> None:
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._number = number
        self._tether = tether

    def kill(self) -> None:
        self._tether.say(Word.END, str(self._number))


class MakersOfRole:
    """The supervisor's end: starts them for one process of the role, and ends them with it.

    `programs` are those that the role may have started. A role of the version before this one names no
    program: it gets the first.
    """

    def __init__(self, tether: Tether, programs: Mapping[str, StartMaker]) -> None:
        self._tether = tether
        self._programs = programs
        self._makers: dict[str, Maker] = {}

    def make(self, text: str, door: socket | None) -> None:
        """Hear the word MAKE, with a number and a program; closes the socket."""
        if door is None:
            return
        number, _, name = text.partition(" ")
        start = self._programs.get(name if name != "" else next(iter(self._programs), ""))
        with door:
            if start is None:
                self._tether.say(Word.ENDED, f"{number} it was not started: this role has no such program")
            elif len(self._makers) >= MAKERS_MAX or number in self._makers:
                self._tether.say(Word.ENDED, f"{number} it was not started: {MAKERS_MAX} are running")
            else:
                self.adopt(number, start(door))

    def adopt(self, number: str, maker: Maker) -> None:
        """See through one that is started."""
        self._makers[number] = maker
        maker.ended.add_done_callback(lambda ended: self._ended(number, ended))

    @property
    def is_starting(self) -> bool:
        return any(maker.number is None and not maker.ended.done() for maker in self._makers.values())

    def handed(self) -> dict[str, int]:
        """The processes, for the next program: by the role's number, while none `is_starting`."""
        return {number: maker.number for number, maker in self._makers.items() if maker.number is not None}

    def end(self, number: str) -> None:
        """Hear the word END."""
        if number in self._makers:
            self._makers[number].kill()

    def end_all(self) -> None:
        for maker in self._makers.values():
            maker.kill()

    def _ended(self, number: str, ended: "asyncio.Future[str]") -> None:
        del self._makers[number]
        if not ended.cancelled():
            self._tether.say(Word.ENDED, f"{number} {ended.result()}")


def command_of(program: MakerProgram) -> tuple[str, ...]:
    return sys.executable, "-P", "-m", program.value


def start_maker(command: Sequence[str], door: socket) -> "StartedMaker":
    """Start one in the running loop."""
    return StartedMaker(os.dup(door.fileno()), command)


def starts_of(programs: Sequence[MakerProgram]) -> Mapping[str, StartMaker]:
    """How each of these programs is started, by its name."""
    return {program.value: partial(start_maker, command_of(program)) for program in programs}


class StartedMaker:
    def __init__(self, descriptor: int, command: Sequence[str]) -> None:
        self._process: Process | None = None
        self._is_killed = False
        self.ended: asyncio.Future[str] = asyncio.ensure_future(self._run(descriptor, command))

    @property
    def number(self) -> int | None:
        return None if self._process is None else self._process.pid

    def kill(self) -> None:
        self._is_killed = True
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _run(self, descriptor: int, command: Sequence[str]) -> str:
        try:
            environment = cleared(os.environ)
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=descriptor, stdout=DEVNULL, env=environment, start_new_session=True
            )
        except OSError as error:
            return f"it cannot be started: {error}"
        finally:
            os.close(descriptor)
        if self._is_killed:
            self.kill()
        return f"it ended with exit code {await self._process.wait()}"
