"""Tells the story: colours and a moving sign of life on a terminal, plain lines in a pipe.

Whoever reads along is given time, and the machines go on meanwhile: what happens is told as it happens; words
and claims wait until those before them have been read.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

WIDTH_MAX = 96
TOLD_SECONDS = 32.0  # on a slow machine, whatever is left by then is told without pauses
WORDS_PER_SECOND = 12.0  # how fast somebody reads along who skims
CLAIM_SECONDS = 0.5
SCREEN_SECONDS = 1.2


class Teller:
    def __init__(self, fast: bool) -> None:
        self.fast = fast
        console = Console(highlight=False)
        width = min(console.width, WIDTH_MAX) if console.is_terminal else WIDTH_MAX
        self.console = Console(highlight=False, width=width)
        self.claims = 0
        self.began = time.monotonic()
        self.read_at = self.began  # when the reader is done with what has been told

    async def act(self, title: str) -> None:
        await self._turn()
        self.console.print()
        self.console.print(Rule(Text(title, style="bold"), align="left", style="blue", characters="─"))

    async def prose(self, text: str) -> None:
        await self._turn(len(text.split()) / WORDS_PER_SECOND)
        self.console.print()
        self.console.print(Text(" ".join(text.split())))

    def picture(self, text: str) -> None:
        self.console.print(Text(text, style="cyan"), soft_wrap=True)

    def happens(self, who: str, what: str, style: str = "") -> None:
        """At this very moment, whoever is still reading what."""
        line = Text("  ")
        line.append(who.ljust(20), style="bold")
        line.append(what, style=style)
        self.console.print(line, soft_wrap=True)

    async def true(self, claim: str) -> None:
        """Only after it was checked."""
        await self._turn(CLAIM_SECONDS)
        self.claims += 1
        self.console.print(Text("  ✓ ", style="bold green") + Text(claim))

    async def screen(self, command: str, output: str) -> None:
        """A command and what it printed, as the owner sees it."""
        await self._turn(SCREEN_SECONDS)
        self.console.print()
        self.console.print(Text(f"  $ {command}", style="bold magenta"), soft_wrap=True)
        for line in output.rstrip().splitlines():
            self.console.print(Text(f"  {line}", style="dim"), soft_wrap=True)
        self.console.print()

    @contextmanager
    def meanwhile(self, what: str) -> Iterator[None]:
        """While something is waited for."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(Text(what, style="dim")):
            yield

    def wrong(self, what: str) -> None:
        self.console.print()
        self.console.print(Text(what, style="bold red"), soft_wrap=True)

    def log(self, lines: str) -> None:
        """The end of the service's log, for whoever has to find out."""
        self.console.print(Text(lines, style="dim"), soft_wrap=True)

    async def _turn(self, seconds: float = 0.0) -> None:
        """Wait until what was told before has been read; what comes now takes so long."""
        if not self.fast:
            await asyncio.sleep(self.read_at - time.monotonic())
            self.read_at = min(time.monotonic() + seconds, self.began + TOLD_SECONDS)
