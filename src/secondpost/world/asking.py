"""Drives a generator that asks: gets each answer from whoever knows, and sends it back.

A coroutine is begun by hand: one whose answers are there is finished in line, and only one that really waits
goes on in a task.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from secondpost.mail.questions import (
    Addresses,
    Mx,
    NameAnswer,
    NameQuestion,
    PolicyAnswer,
    PolicyQuestion,
    Txt,
)
from secondpost.world.ports import Resolver

Asked = TypeVar("Asked")
Said = TypeVar("Said")
Result = TypeVar("Result")

Answerer = Callable[[NameQuestion], Awaitable[NameAnswer]]
PolicyAnswerer = Callable[[PolicyQuestion], Awaitable[PolicyAnswer]]


def answer_from(world: Mapping[Asked, Said], asking: Generator[Asked, Said, Result]) -> Result:
    """A test's way to answer: the dict is the world. An unforeseen question raises KeyError."""
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
    except StopIteration as stop:
        result: Result = stop.value
        return result
    return await _drive_on(asking, question, answerer)


async def _drive_on(
    asking: Generator[Asked, Said, Result], question: Asked, answerer: Callable[[Asked], Awaitable[Said]]
) -> Result:
    try:
        while True:
            question = asking.send(await answerer(question))
    except StopIteration as stop:
        result: Result = stop.value
        return result


@dataclass(frozen=True, slots=True)
class Suspended(Generic[Result]):
    """A coroutine that was begun by hand waits for something; `rest` goes on with it, in a task."""

    rest: Coroutine[None, None, Result]


def begin(work: Coroutine[object, None, Result]) -> Result | Suspended[Result]:
    """The result, if nothing has to be waited for: then no task is made. Until its first wait the work has
    no task of its own (no asyncio.timeout, no current_task).
    """
    try:
        awaited = work.send(None)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    return Suspended(_finish(work, awaited))


def begin_asking(
    asking: Generator[Asked, Said, Result], answerer: Callable[[Asked], Awaitable[Said]]
) -> Result | Suspended[Result]:
    """`drive`, begun by hand; one that asks nothing makes no coroutine either."""
    try:
        question = next(asking)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    return begin(_drive_on(asking, question, answerer))


async def _finish(work: Coroutine[object, None, Result], awaited: object) -> Result:
    return await _Rest(work, awaited)


@dataclass(frozen=True, slots=True)
class _Rest(Generic[Result]):
    """`awaited`: what the work yielded to the loop; a task that is given it waits for it."""

    work: Coroutine[object, None, Result]
    awaited: object

    def __await__(self) -> Generator[object, None, Result]:
        awaited = self.awaited
        try:
            while True:
                try:
                    yield awaited
                except BaseException as error:  # noqa: BLE001  a cancelled wait is thrown into the work, as a task does
                    awaited = self.work.throw(error)
                else:
                    awaited = self.work.send(None)
        except StopIteration as stop:
            result: Result = stop.value
            return result


def names_from(resolver: Resolver) -> Answerer:
    """An answerer for questions of DNS."""

    async def answer(question: NameQuestion) -> NameAnswer:
        match question:
            case Mx(domain):
                return await resolver.mx(domain)
            case Addresses(host):
                return await resolver.addresses(host)
            case Txt(name):
                return await resolver.txt(name)

    return answer
