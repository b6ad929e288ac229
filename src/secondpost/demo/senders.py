"""Sending servers: look up MX, try hosts by preference, fall back, and retry until accepted."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from secondpost.demo.dialogue import SILENCE, NotNow, hand_over
from secondpost.demo.letters import Letter
from secondpost.demo.names import Asker
from secondpost.demo.networks import Network

RETRY_SECONDS = 1.0  # real servers retry after minutes
SILENT_SECONDS = 60.0  # how long a silent host is not tried again
ROUNDS_MAX = 10


@dataclass(frozen=True, slots=True)
class Try:
    host: str
    said: str
    taken: bool


@dataclass(slots=True)
class Journey:
    """The history of a letter as its sender knows it."""

    letter: Letter
    tries: list[Try] = field(default_factory=list)

    @property
    def taken_by(self) -> str:
        """The host that answered 250; empty if there is none yet."""
        return self.tries[-1].host if len(self.tries) > 0 and self.tries[-1].taken else ""


@dataclass(frozen=True, slots=True)
class SendingServer:
    name: str
    address: str
    network: Network
    names: Asker
    port: int  # of all mail servers of the demo
    tried: Callable[["SendingServer", Letter, Try], None]  # called after each try
    domains: tuple[str, ...]  # of the people who send by it
    silent: dict[str, float] = field(default_factory=dict)  # hosts not to try before a time

    async def post(self, letter: Letter) -> Journey:
        """Send a letter, retrying until accepted. Raises Never, or NotNow after all rounds."""
        journey = Journey(letter)
        for _ in range(ROUNDS_MAX):
            for host in self._worth_a_try(await self.names.mx(letter.recipient.partition("@")[2])):
                one = await self._try(letter, host)
                journey.tries.append(one)
                self.tried(self, letter, one)
                if one.taken:
                    return journey
            await asyncio.sleep(RETRY_SECONDS)
        raise NotNow(f"nobody took letter {letter.number} in {ROUNDS_MAX} rounds")

    def _worth_a_try(self, hosts: list[tuple[int, str]]) -> list[str]:
        """The hosts that were not silent recently; all if every one was."""
        now = asyncio.get_running_loop().time()
        spoke = [host for _, host in hosts if self.silent.get(host, 0.0) <= now]
        return spoke if len(spoke) > 0 else [host for _, host in hosts]

    async def _try(self, letter: Letter, host: str) -> Try:
        address = await self.names.address(host)
        way = await self.network.path_to(address, self.port).open(self.network.border)
        try:
            reply = await hand_over(letter, self.name, self.address, way)
        except NotNow as why:
            if str(why) == SILENCE:
                self.silent[host] = asyncio.get_running_loop().time() + SILENT_SECONDS
            return Try(host, str(why), taken=False)
        return Try(host, reply, taken=True)
