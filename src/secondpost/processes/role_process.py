"""One process of a role, as its supervisor sees it."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from socket import socket

from secondpost.mail.address import Endpoint
from secondpost.processes.accepted import ACCEPTED, Accepted, for_role, sealed_file
from secondpost.processes.adopted import AdoptedMaker, AdoptedProcess, ChildProcess
from secondpost.processes.doors import DOORS_VARIABLE, doors_text
from secondpost.processes.environment import cleared
from secondpost.processes.handed_over import HandedRole
from secondpost.processes.makers import MakerProgram, MakersOfRole, starts_of
from secondpost.processes.named_files import NAMED_FILES, FilesForRole, files_pair, named_files
from secondpost.processes.tether import (
    OF_THE_ROLE,
    TETHER,
    Tether,
    Word,
    adopted_end,
    adopted_tether,
    tether_pair,
)

PREPARE_SECONDS_MAX = 60.0  # until it has read everything it needs
SERVE_SECONDS_MAX = 60.0  # from then, until it serves
# The programs that a role may have started. A process that signs has the keys, and signs for who asked
# for it: no role but deliver gets one.
PROGRAMS: Mapping[str, Sequence[MakerProgram]] = {
    "deliver": (MakerProgram.SIGNER, MakerProgram.REPORT_READER),
    "fetch": (MakerProgram.FEED_READER,),
}


async def start_role(role: str, accepted: Accepted, doors: Mapping[Endpoint, socket]) -> "RoleProcess":
    """Start a process of a role; it prepares itself, and then waits for `begin`. Raises OSError."""
    tether, theirs = tether_pair()
    files, asking = files_pair()
    try:
        with theirs, asking:
            process = await _spawned(role, accepted, doors, theirs, asking)
    except BaseException:
        tether.close()
        files.close()
        raise
    return RoleProcess(role, process, tether, FilesForRole(files, named_files(accepted.config, role)))


async def _spawned(
    role: str, accepted: Accepted, doors: Mapping[Endpoint, socket], theirs: socket, asking: socket
) -> ChildProcess:
    handed = sealed_file(for_role(accepted, role))
    environment = cleared(os.environ) | {
        TETHER: str(theirs.fileno()),
        NAMED_FILES: str(asking.fileno()),
        ACCEPTED: str(handed),
        DOORS_VARIABLE: doors_text(doors),
    }
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # no modules from the current folder
            "-m",
            "secondpost.processes",
            "--config",  # for those who look at the list of processes: it reads what it is handed
            os.path.abspath(accepted.config.path),
            "serve",
            "--role",
            role,
            env=environment,
            pass_fds=(
                theirs.fileno(),
                asking.fileno(),
                handed,
                *(door.fileno() for door in doors.values()),
            ),
            stdin=asyncio.subprocess.DEVNULL,
            # Ctrl-C at the terminal reaches only the supervisor, which lets each role finish.
            start_new_session=True,
        )
    finally:
        os.close(handed)


def adopted_role(handed: HandedRole) -> "RoleProcess":
    """A process that the program before this one started."""
    tether = adopted_tether(handed.tether)
    files = FilesForRole(adopted_end(handed.files), frozenset(handed.named))
    process = RoleProcess(handed.role, AdoptedProcess(handed.number), tether, files)
    process.go_on(handed)
    return process


class RoleProcess:
    def __init__(self, role: str, process: ChildProcess, tether: Tether, files: FilesForRole) -> None:
        self.role = role
        self.number = process.pid
        self._process = process
        self._tether = tether
        self._files = files
        self._said = {word: asyncio.Event() for word in OF_THE_ROLE}
        self._refusal = ""
        self.is_silent = False  # it was called, and has not answered
        self._makers = MakersOfRole(tether, starts_of(PROGRAMS.get(role, ())))
        tether.listen(self._hear, lambda: None)
        self.ended: asyncio.Task[int] = asyncio.ensure_future(process.wait())  # its exit code
        # The first callback, so that its last words are heard before anything is made of its end.
        self.ended.add_done_callback(lambda _: tether.close())
        self.ended.add_done_callback(lambda _: self._makers.end_all())
        self.ended.add_done_callback(lambda _: files.close())

    def go_on(self, handed: HandedRole) -> None:
        """As the program before left it."""
        for number, maker in handed.makers.items():
            self._makers.adopt(number, AdoptedMaker(maker))
        if handed.is_serving:
            self._said[Word.PREPARED].set()
            self._said[Word.SERVING].set()

    @property
    def is_making(self) -> bool:
        """Whether a signing process is just being started."""
        return self._makers.is_starting

    @property
    def is_ending(self) -> bool:
        """Whether it has closed what leads to it, and its end was not seen yet."""
        return min(self._tether.descriptor, self._files.descriptor) < 0 and not self.ended.done()

    def handed(self, *, is_leaving: bool) -> HandedRole:
        """For the next program, unless it `is_making`, `is_ending` or has ended."""
        return HandedRole(
            role=self.role,
            number=self.number,
            tether=self._tether.descriptor,
            files=self._files.descriptor,
            named=tuple(sorted(self._files.allowed)),
            makers=self._makers.handed(),
            is_serving=self._said[Word.SERVING].is_set(),
            is_leaving=is_leaving,
        )

    def _hear(self, word: Word, text: str, handed: socket | None) -> None:
        if word is Word.MAKE and self.role in PROGRAMS:
            self._makers.make(text, handed)
            return
        if handed is not None:
            handed.close()
        if word is Word.END:
            self._makers.end(text)
            return
        self._said[word].set()
        self.is_silent = False
        if word is Word.REFUSED:
            self._refusal = text

    async def why_not_prepared(self) -> str | None:
        """Wait until it is prepared; returns why it is not, None if it is."""
        if await self._has_said(Word.PREPARED, PREPARE_SECONDS_MAX):
            return None
        if self.is_refusing:
            return self._refusal
        if self.ended.done():
            return ending_text(self.ended.result())
        return f"it was not ready within {PREPARE_SECONDS_MAX:g} s"

    @property
    def is_refusing(self) -> bool:
        """Whether it said why it cannot start."""
        return len(self._refusal) > 0

    @property
    def is_serving(self) -> bool:
        return self._said[Word.SERVING].is_set() and not self.ended.done()

    def call(self) -> None:
        """Ask whether it still answers; until it does, it is silent."""
        self.is_silent = True
        self._tether.say(Word.CALL)

    def begin(self) -> None:
        self._tether.say(Word.BEGIN)

    async def serves(self) -> bool:
        """Wait until it serves; False if it ended instead, or did not within SERVE_SECONDS_MAX."""
        return await self._has_said(Word.SERVING, SERVE_SECONDS_MAX)

    def rest(self) -> None:
        self._tether.say(Word.REST)

    def leave(self) -> None:
        self._tether.say(Word.LEAVE)

    def stop(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    async def stopped_within(self, seconds: float) -> None:
        """Stop it in good order; kill it if that takes too long."""
        self.stop()
        await asyncio.wait((self.ended,), timeout=seconds)
        self.kill()
        await self.ended

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def _has_said(self, word: Word, seconds: float) -> bool:
        said = asyncio.ensure_future(self._said[word].wait())
        try:
            await asyncio.wait((said, self.ended), timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            said.cancel()
        return self._said[word].is_set()


def ending_text(code: int) -> str:
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit code {code}"
