"""A role's place in the service: when its process begins, rests for a successor, and leaves."""

import asyncio
from collections.abc import Mapping
from socket import socket

from secondpost.processes.makers import AskedMakers
from secondpost.processes.tether import OF_THE_SUPERVISOR, Tether, Word, inherited_tether


class Place:
    """Without a supervisor a role begins at once, and leaves only when it is stopped."""

    def __init__(self, tether: Tether | None, stop: asyncio.Event) -> None:
        self._tether = tether
        self._stop = stop
        self._said: dict[Word, asyncio.Event] = {word: asyncio.Event() for word in OF_THE_SUPERVISOR}
        self.makers = None if tether is None else AskedMakers(tether)  # who starts signing processes
        if tether is None:
            self._said[Word.BEGIN].set()

    @classmethod
    def of(cls, environment: Mapping[str, str], stop: asyncio.Event) -> "Place":
        """`stop` is set when the supervisor ends."""
        return cls(inherited_tether(environment), stop)

    @property
    def is_supervised(self) -> bool:
        return self._tether is not None

    @property
    def has_begun(self) -> bool:
        return self._said[Word.BEGIN].is_set()

    def listen(self) -> None:
        if self._tether is not None:
            self._tether.listen(self._hear, self._stop.set)

    def _hear(self, word: Word, text: str, handed: socket | None) -> None:
        if handed is not None:
            handed.close()
        if word is Word.CALL:
            self.say(Word.HERE)
        elif word is Word.ENDED and self.makers is not None:
            self.makers.hear(text)
        else:
            self._said[word].set()

    def say(self, word: Word, text: str = "") -> None:
        if self._tether is not None:
            self._tether.say(word, text)

    async def until(self, *words: Word) -> None:
        """Wait for one of the words, or for the stop."""
        events = (self._stop, *(self._said[word] for word in words))
        waiting = [asyncio.ensure_future(event.wait()) for event in events]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for each in waiting:
            each.cancel()
