"""Many clients of the real service: `python -m tests.service.crowd FOLDER`, in a network namespace.

In the namespace all addresses of the documentation ranges are local, so clients can use any of
them. Prints the results as one line of JSON.
"""

import asyncio
import json
import resource
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.crash.postoffice import RECIPIENT, PostOffice, Victim
from tests.service.primary import Primary

ROUTES = (("-4", "198.18.0.0/15"), ("-6", "2001:db8::/32"))
SERVER, SERVER6 = "198.18.0.1", "2001:db8::1"
IP_FREEBIND = 15  # of Linux; Python has no name for it
OPEN_FILES_MAX = 8192
TIMEOUT_SECONDS = 5
AGAIN_SECONDS = 0.5
IDLE_CALLERS = 1000
GUESSES = 3000
MESSAGE = b"Subject: good\r\n\r\nGood mail.\r\n.\r\n"


@dataclass
class Figures:
    """The results that a test checks."""

    good_seconds: list[float] = field(default_factory=list)  # from the first try until accepted
    good_refused: int = 0
    idle_stayed: list[float] = field(default_factory=list)  # of accepted connections
    idle_refused: int = 0
    guesses_answered: list[int] = field(default_factory=list)  # per session
    log_octets: int = 0
    grown_kilobytes: int = 0  # the receive role, from before the crowd to its largest


class Caller:
    """A connection from any chosen address."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, address: str, port: int) -> "Caller":
        family, server = (socket.AF_INET6, SERVER6) if ":" in address else (socket.AF_INET, SERVER)
        ours = socket.socket(family, socket.SOCK_STREAM)
        ours.setblocking(False)
        ours.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)  # the address is on no interface, only routed here
        ours.bind((address, 0))
        await asyncio.get_running_loop().sock_connect(ours, (server, port))
        return cls(*await asyncio.open_connection(sock=ours))

    async def code(self) -> int:
        """The code of the next reply; 0 if the server closed."""
        while True:
            try:
                line = await self._reader.readline()
            except ConnectionError:
                return 0
            if line[3:4] != b"-":
                return int(line[:3] or b"0")

    async def say(self, line: bytes) -> int:
        self.writer.write(line + b"\r\n")
        return await self.code()


class Crowd:
    def __init__(self, port: int) -> None:
        self.figures = Figures()
        self._port = port
        self._quiet = asyncio.Event()

    async def stand(self, address: str) -> None:
        """Send nothing until the server closes."""
        caller = await Caller.connect(address, self._port)
        begun = time.monotonic()
        if await caller.code() == 220:
            await caller.code()
            self.figures.idle_stayed.append(time.monotonic() - begun)
        else:
            self.figures.idle_refused += 1
        caller.writer.close()

    async def guess(self, address: str) -> None:
        """Guess recipients, session after session, as long as good mail is sent."""
        group = b"".join(b"RCPT TO:<guess%d@example.org>\r\n" % n for n in range(GUESSES))
        while not self._quiet.is_set():
            caller = await Caller.connect(address, self._port)
            codes = [
                await caller.code(),
                await caller.say(b"EHLO guess.example"),
                await caller.say(b"MAIL FROM:<>"),
            ]
            if codes == [220, 250, 250]:
                caller.writer.write(group)
                answered = 0
                while await caller.code() == 550:
                    answered += 1
                self.figures.guesses_answered.append(answered)
            caller.writer.close()
            await asyncio.sleep(0.01)

    async def good(self, address: str) -> None:
        begun = time.monotonic()
        while not await self._taken(address):
            self.figures.good_refused += 1
            await asyncio.sleep(AGAIN_SECONDS)
        self.figures.good_seconds.append(time.monotonic() - begun)

    async def _taken(self, address: str) -> bool:
        caller = await Caller.connect(address, self._port)
        try:
            if await caller.code() != 220:
                return False
            for line in (
                b"EHLO good.example",
                b"MAIL FROM:<>",
                b"RCPT TO:<%s>" % RECIPIENT.encode(),
                b"DATA",
            ):
                if await caller.say(line) not in (250, 354):
                    return False
            caller.writer.write(MESSAGE)
            return await caller.code() == 250
        finally:
            caller.writer.close()

    async def stream(self, seconds: float) -> None:
        """Good mail from twenty networks, ten a second, one after the other."""
        coming = []
        for n in range(int(seconds * 10)):
            coming.append(asyncio.ensure_future(self.good(f"198.18.{n % 20 + 1}.9")))
            await asyncio.sleep(0.1)
        await asyncio.gather(*coming)
        self._quiet.set()

    async def play(self) -> None:
        idle = [self.stand(f"2001:db8:bad:1::{n + 1:x}") for n in range(IDLE_CALLERS)]
        guessing = [self.guess(f"2001:db8:bad:{n + 2}::1") for n in range(10)]
        await asyncio.gather(self.stream(TIMEOUT_SECONDS + 3), *idle, *guessing)


def kilobytes(pid: int, word: str) -> int:
    """VmRSS or VmHWM of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{word}:"):
            return int(line.split()[1])
    raise ValueError(word)


def prepare() -> None:
    """Set up the namespace, which has only an inactive loopback."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for family, network in ROUTES:
        subprocess.run(["ip", family, "route", "add", "local", network, "dev", "lo"], check=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES_MAX, OPEN_FILES_MAX))


def configured(office: PostOffice) -> None:
    text = office.config.read_text()
    for old, new in (
        (f'"127.0.0.1:{office.port}"]', f'"[::]:{office.port}"]\ntimeout = "{TIMEOUT_SECONDS} seconds"'),
        ('["any"]', f'["{RECIPIENT}"]'),
    ):
        assert old in text
        text = text.replace(old, new)
    office.config.write_text(text)


def main(folder: Path) -> Figures:
    prepare()
    with Primary() as primary:
        office = PostOffice(folder, primary.port)
        configured(office)
        try:
            office.start()
            office.wait_for_roles()
            receive = office.roles()[Victim.RECEIVE]
            before, log_before = kilobytes(receive, "VmRSS"), office.log.stat().st_size
            crowd = Crowd(office.port)
            asyncio.run(crowd.play())
            crowd.figures.grown_kilobytes = kilobytes(receive, "VmHWM") - before
            office.stop()
            crowd.figures.log_octets = office.log.stat().st_size - log_before
            return crowd.figures
        finally:
            office.end()


if __name__ == "__main__":
    print(json.dumps(asdict(main(Path(sys.argv[1])))))
