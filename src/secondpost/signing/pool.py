"""FIFO bound on signing batches in flight, so that an issue leaves relayed mail its share.

Signing is most of an issue's cost. When there is much of it, signing processes take it over: a
thread that signs beside a busy loop waits longer for the GIL than it signs.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from secondpost.signing.orders import MailSigner, SignedBatch, SigningOrder, orders_octets, signed_of
from secondpost.world.ports import Work, Workshop, WorkshopClosed

HOPS_PER_PLACE = 2  # one in work, one queued, so that a signer never waits for the loop
# In a row without a pause; about a second's work, and starting processes takes half a second.
MAILS_ALONE_MAX = 500
HOPS_BESIDE_RELAY = 1
THREADS = 2  # while no signing process is running


class SigningPool:
    def __init__(
        self, signer: MailSigner, work: Work, workshop: Workshop | None, relays: Callable[[], bool]
    ) -> None:
        """`relays` says whether relayed mail is under way."""
        self._signer = signer
        self._work = work
        self._workshop = workshop
        self._relays = relays
        self._inside = 0
        self._mails_in_a_row = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def sign(self, orders: Sequence[SigningOrder]) -> tuple[SignedBatch, ...]:
        """Sign all these orders in one batch; waits for a free place."""
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
                pass  # no signing process: sign here
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
