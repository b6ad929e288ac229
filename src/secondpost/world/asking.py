"""Drives a generator that yields questions: gets each answer and sends it back.

A coroutine may also be started without a task: it gets one only if it has to wait.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import (
    AddressRecords,
    Alias,
    AnswerOfZone,
    Caa,
    Ds,
    Ns,
    Ptr,
    StsPolicy,
    StsPolicyAnswer,
    Tlsa,
    ZoneOf,
    ZoneQuestion,
    unanswered,
)
from secondpost.mail.questions import (
    Addresses,
    Mx,
    NameAnswer,
    NameQuestion,
    PolicyAnswer,
    PolicyQuestion,
    Txt,
)
from secondpost.world.ports import Resolver, ZoneResolver

Asked = TypeVar("Asked")
Said = TypeVar("Said")
Result = TypeVar("Result")

Answerer = Callable[[NameQuestion], Awaitable[NameAnswer]]
ZoneAnswerer = Callable[[ZoneQuestion], Awaitable[AnswerOfZone]]
PolicyReader = Callable[[Domain], Awaitable[StsPolicyAnswer]]
PolicyAnswerer = Callable[[PolicyQuestion], Awaitable[PolicyAnswer]]


def answer_from(world: Mapping[Asked, Said], asking: Generator[Asked, Said, Result]) -> Result:
    """Run a generator with answers from a dict, for tests. Unknown questions raise KeyError."""
    try:
        question = next(asking)
        while True:
            question = asking.send(world[question])
    except StopIteration as stop:
        result: Result = stop.value
        return result


async def drive(
    asking: Generator[Asked, Said, Result], answerer: Callable[[Asked], Awaitable[Said]]
) -> Result:
    try:
        question = next(asking)
        while True:
            question = asking.send(await answerer(question))
    except StopIteration as stop:
        result: Result = stop.value
        return result


@dataclass(frozen=True, slots=True)
class Suspended(Generic[Result]):
    """A coroutine started by `begin` that has to wait; `rest` continues it, in a task."""

    rest: Coroutine[None, None, Result]


def begin(work: Coroutine[object, None, Result]) -> Result | Suspended[Result]:
    """Run a coroutine without a task until it first waits.

    Returns the result if it never waits. Until then it must not need a task (no asyncio.timeout, no
    current_task).
    """
    try:
        awaited = work.send(None)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    return Suspended(_finish(work, awaited))


async def _finish(work: Coroutine[object, None, Result], awaited: object) -> Result:
    return await _Rest(work, awaited)


@dataclass(frozen=True, slots=True)
class _Rest(Generic[Result]):
    """Continues `work` after its first wait. `awaited`: the future that it yielded to the loop."""

    work: Coroutine[object, None, Result]
    awaited: object

    def __await__(self) -> Generator[object, None, Result]:
        awaited = self.awaited
        try:
            while True:
                try:
                    yield awaited
                except BaseException as error:  # noqa: BLE001  thrown into the work, as a task does
                    awaited = self.work.throw(error)
                else:
                    awaited = self.work.send(None)
        except StopIteration as stop:
            result: Result = stop.value
            return result


def names_from(resolver: Resolver) -> Answerer:
    """A function that answers questions of DNS."""

    async def answer(question: NameQuestion) -> NameAnswer:
        match question:
            case Mx(domain):
                return await resolver.mx(domain)
            case Addresses(host):
                return await resolver.addresses(host)
            case Txt(name):
                return await resolver.txt(name)

    return answer


def zones_from(resolver: ZoneResolver, sts_policy: PolicyReader) -> ZoneAnswerer:
    """A function that answers questions about zones; `sts_policy` fetches a domain's policy."""
    of_names = names_from(resolver)

    async def answer(question: ZoneQuestion) -> AnswerOfZone:
        match question:
            case AddressRecords(host, version):
                return await resolver.address_records(host, version)
            case Ptr(address):
                return await resolver.ptr(address)
            case Tlsa(name):
                return await resolver.tlsa(name)
            case Caa(name):
                return await resolver.caa(name)
            case Alias(name):
                return await resolver.alias(name)
            case ZoneOf(name):
                return await resolver.zone_of(name)
            case Ds(zone):
                return await resolver.ds(zone)
            case Ns(zone):
                return await resolver.ns(zone)
            case StsPolicy(domain):
                return await sts_policy(domain)
            case _:
                return await of_names(question)

    return answer


def within(seconds: float, answerer: ZoneAnswerer) -> ZoneAnswerer:
    """Bounds the time of all questions together; the further ones are not answered.

    Call it in the loop, when the time begins.
    """
    loop = asyncio.get_running_loop()
    ends = loop.time() + seconds

    async def answer(question: ZoneQuestion) -> AnswerOfZone:
        try:
            async with asyncio.timeout_at(ends):
                return await answerer(question)
        except TimeoutError:
            return unanswered(question)

    return answer
