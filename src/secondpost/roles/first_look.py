"""The world of the interview that `secondpost init` holds: this machine, the DNS, and the way out.

Between two answers the interview waits for its owner's typing, so each answer is fetched in a loop of
its own run.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.mail.dns_questions import Ptr
from secondpost.setup.questions import LookedUp, LookUp, Reach, Sought
from secondpost.world.asking import names_from
from secondpost.world.ports import NetError
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.files import FileRefused, replace_file
from secondpost.world.real.keys import make_missing_keys
from secondpost.world.real.net import RealNet
from secondpost.world.real.surroundings import look_around_here

REACH_SECONDS_MAX = 5.0  # a server that is there answers sooner

__all__ = ["FileRefused", "FirstLook", "look_around_here", "make_keys", "now_ms", "replace_file"]


class FirstLook:
    def __init__(self, dns_servers: Sequence[Endpoint]) -> None:
        self._runner = asyncio.Runner()
        self._resolver = RealResolver(dns_servers, RealDice())
        self._net = RealNet()

    def look_up(self, step: LookUp) -> tuple[LookedUp, ...]:
        return self._runner.run(self._look_up(step))

    def reach(self, step: Reach) -> frozenset[Endpoint]:
        return self._runner.run(self._reach(step))

    def close(self) -> None:
        self._runner.run(self._close())
        self._runner.close()

    async def _look_up(self, step: LookUp) -> tuple[LookedUp, ...]:
        return tuple(await asyncio.gather(*map(self._answer, step.questions)))

    async def _answer(self, question: Sought) -> LookedUp:
        if isinstance(question, Ptr):
            return await self._resolver.ptr(question.address)
        return await names_from(self._resolver)(question)

    async def _reach(self, step: Reach) -> frozenset[Endpoint]:
        reached = await asyncio.gather(*map(self._is_reached, step.endpoints))
        return frozenset(one for one, is_there in zip(step.endpoints, reached, strict=True) if is_there)

    async def _is_reached(self, endpoint: Endpoint) -> bool:
        with suppress(NetError):
            transport = await self._net.connect(asyncio.Protocol, endpoint, REACH_SECONDS_MAX)
            transport.abort()
            return True
        return False

    async def _close(self) -> None:
        self._resolver.close()
        self._net.close()


def make_keys(config: Config) -> list[str]:
    """Make the keys that are missing in the store; their paths. Raises KeyFault and DiskFailed."""
    return make_missing_keys(config.store, config.dkim, RealDice())


def now_ms() -> int:
    return RealClock().now_ms()
