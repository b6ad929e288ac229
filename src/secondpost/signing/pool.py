"""FIFO bound on the signing that is under way at once: a campaign must leave relayed mail its share.

Signing is most of what an issue costs. When there is much of it, processes that do nothing else take it
over: a thread that signs beside a busy loop waits longer for the interpreter's lock than it signs.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from secondpost.signing.orders import MailSigner, SignedBatch, SigningOrder, orders_octets, signed_of
from secondpost.world.ports import Work, Workshop, WorkshopClosed

HOPS_PER_PLACE = 2  # one in work, one behind it, so that a signer never waits for the loop
MAILS_ALONE_MAX = 500  # without a pause: about a second's work; a workshop takes half a second to open
HOPS_BESIDE_RELAY = 1
THREADS = 2  # while no process is in the workshop


class SigningPool:
    def __init__(
        self, signer: MailSigner, work: Work, workshop: Workshop | None, relays: Callable[[], bool]
    ) -> None:
        """`relays`: whether relayed mail is on its way at this moment."""
        self._signer = signer
        self._work = work
        self._workshop = workshop
        self._relays = relays
        self._inside = 0
        self._mails_in_a_row = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def sign(self, orders: Sequence[SigningOrder]) -> tuple[SignedBatch, ...]:
        """One hop to a signer and back: all these orders together."""
        if len(orders) == 0:
            return ()
        await self._enter()
        self._mails_in_a_row += sum(len(order.readers) for order in orders)
        try:
            return await self._signed(orders)
        finally:
            self._leave()

    async def _signed(self, orders: Sequence[SigningOrder]) -> tuple[SignedBatch, ...]:
        if self._workshop is not None:
            try:
                return signed_of(await self._workshop.do(orders_octets(orders)))
            except WorkshopClosed:
                pass  # then we do it ourselves
        return await self._work.run(partial(self._signer.sign, orders))

    async def _enter(self) -> None:
        if self._inside < self._room():
            self._inside += 1
            return
        if self._workshop is not None and self._mails_in_a_row > MAILS_ALONE_MAX:
            self._workshop.open()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        await turn

    def _leave(self) -> None:
        self._inside -= 1
        if self._inside == 0 and len(self._waiting) == 0:
            self._mails_in_a_row = 0
        while len(self._waiting) > 0 and self._inside < self._room():
            turn = self._waiting.popleft()
            if not turn.cancelled():
                self._inside += 1
                turn.set_result(None)

    def _room(self) -> int:
        places = 0 if self._workshop is None else self._workshop.places
        at_once = THREADS if places == 0 else places * HOPS_PER_PLACE
        return HOPS_BESIDE_RELAY if self._relays() else at_once
