"""Sending servers: they ask DNS, try the hosts by preference, fall back, and come again until it is taken."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from secondpost.demo.dialogue import SILENCE, NotNow, hand_over
from secondpost.demo.letters import Letter
from secondpost.demo.names import Asker
from secondpost.demo.networks import Network

RETRY_SECONDS = 1.0  # real ones come again after minutes
SILENT_SECONDS = 60.0  # for so long a host that was silent is not asked again
ROUNDS_MAX = 10


@dataclass(frozen=True, slots=True)
class Try:
    host: str
    said: str
    taken: bool


@dataclass(slots=True)
class Journey:
    """What became of a letter, as its sender knows it."""

    letter: Letter
    tries: list[Try] = field(default_factory=list)

    @property
    def taken_by(self) -> str:
        """The host that said 250; empty while there is none."""
        return self.tries[-1].host if len(self.tries) > 0 and self.tries[-1].taken else ""


@dataclass(frozen=True, slots=True)
class SendingServer:
    name: str
    address: str
    network: Network
    names: Asker
    port: int  # where mail servers listen in this internet
    tried: Callable[["SendingServer", Letter, Try], None]  # told of each try as it ends
    silent: dict[str, float] = field(default_factory=dict)  # hosts, and until when they are left alone

    async def post(self, letter: Letter) -> Journey:
        """Done when somebody has taken it. Raises Never, or NotNow when nobody ever does."""
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
        """Those that were not silent lately; all of them when all were."""
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
