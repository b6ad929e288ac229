"""Drives a generator that asks: gets each answer from whoever knows, and sends it back.

A decision that asks nothing finishes in line, without a task. One whose answers are at hand does too.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from secondpost.mail.questions import (
    Addresses,
    Answer,
    Asking,
    KnownRecipient,
    Mx,
    Question,
    Txt,
)
from secondpost.world.ports import Resolver

Result = TypeVar("Result")


class Unfinished(Exception):
    """The decision asked something; `rest` goes on from there."""

    def __init__(self, question: Question) -> None:
        super().__init__(f"{question} waits for its answer")
        self.question = question


Answerer = Callable[[Question], Awaitable[Answer]]


def answer_from(world: Mapping[Question, Answer], asking: Asking[Result]) -> Result:
    """A test's way to answer: the dict is the world. An unforeseen question raises KeyError."""
    try:
        question = next(asking)
        while True:
            question = asking.send(world[question])
    except StopIteration as stop:
        result: Result = stop.value
        return result


def begin(asking: Asking[Result]) -> Result:
    """The result, when nothing is asked; else raises Unfinished with the first question."""
    try:
        question = next(asking)
    except StopIteration as stop:
        result: Result = stop.value
        return result
    raise Unfinished(question)


async def finish(asking: Asking[Result], question: Question, answerer: Answerer) -> Result:
    """Answer the question that `begin` came back with, and all that follow."""
    try:
        while True:
            question = asking.send(await answerer(question))
    except StopIteration as stop:
        result: Result = stop.value
        return result


async def drive(asking: Asking[Result], answerer: Answerer) -> Result:
    try:
        return begin(asking)
    except Unfinished as unfinished:
        return await finish(asking, unfinished.question, answerer)


def names_from(resolver: Resolver) -> Answerer:
    """An answerer for questions of DNS alone."""

    async def answer(question: Question) -> Answer:
        match question:
            case Mx(domain):
                return await resolver.mx(domain)
            case Addresses(host):
                return await resolver.addresses(host)
            case Txt(name):
                return await resolver.txt(name)
            case KnownRecipient():
                raise TypeError(f"nobody here knows recipients: {question}")

    return answer
