"""How many mails to readers are being made at once: a campaign must leave relayed mail its share.

Signing is most of what an issue costs. Two threads sign as much as one loop can send, and while relayed mail
is on its way one of them stands back.
"""

import asyncio
from collections import deque
from collections.abc import Callable

MAKERS = 2
MAKERS_BESIDE_RELAY = 1


class Makers:
    """Whoever makes enters, and leaves when it is done; those who wait enter in turn."""

    def __init__(self, relays: Callable[[], bool]) -> None:
        """`relays`: whether relayed mail is on its way at this moment."""
        self._relays = relays
        self._inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        if self._inside < self._room():
            self._inside += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def leave(self) -> None:
        self._inside -= 1
        while len(self._waiting) > 0 and self._inside < self._room():
            turn = self._waiting.popleft()
            if not turn.cancelled():
                self._inside += 1
                turn.set_result(None)

    def _room(self) -> int:
        return MAKERS_BESIDE_RELAY if self._relays() else MAKERS
