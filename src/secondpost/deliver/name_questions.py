"""Looks up names for the role receive, which has no network: those by which it finds out who sent a
message.

The names are what strangers write into their messages and their DNS. So that a receive role in wrong
hands cannot scan or flood with our resolver, look-ups are bounded in number and rate; what goes beyond
is answered FAILED. The resolver's cache answers repeated questions.
"""

import asyncio

from secondpost.mail.dns_questions import AddressRecords, Ptr
from secondpost.mail.questions import Finding, Mx, Txt
from secondpost.protocols.role_questions import PublicAnswer, PublicQuestion, without_records
from secondpost.world.ports import ArrivalResolver

AT_ONCE_MAX = 200  # further questions wait; the asking role gives up after its own time
PER_SECOND_MAX = 1_000
BURST_MAX = 5_000


class NameQuestions:
    def __init__(self, resolver: ArrivalResolver) -> None:
        self._resolver = resolver
        self._places = asyncio.Semaphore(AT_ONCE_MAX)
        self._left = float(BURST_MAX)  # questions that may be asked at once
        self._counted = 0.0  # loop time

    async def records(self, question: PublicQuestion) -> PublicAnswer:
        if not self._may_ask():
            return without_records(question, Finding.FAILED)
        async with self._places:
            return await self._look_up(question)

    def _may_ask(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._left = min(BURST_MAX, self._left + (now - self._counted) * PER_SECOND_MAX)
        self._counted = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    async def _look_up(self, question: PublicQuestion) -> PublicAnswer:
        match question:
            case Mx(domain):
                return await self._resolver.mx(domain)
            case AddressRecords(host, version):
                return await self._resolver.address_records(host, version)
            case Txt(name):
                return await self._resolver.txt(name)
            case Ptr(address):
                return await self._resolver.ptr(address)
