"""Tells the story: colours and a moving sign of life on a terminal, plain lines in a pipe."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

WIDTH_MAX = 96
WORDS_PER_SECOND = 5.0  # how fast somebody reads along who has not seen this before


class Teller:
    def __init__(self, fast: bool) -> None:
        self.fast = fast
        console = Console(highlight=False)
        width = min(console.width, WIDTH_MAX) if console.is_terminal else WIDTH_MAX
        self.console = Console(highlight=False, width=width)
        self.claims = 0

    async def act(self, title: str) -> None:
        self.console.print()
        self.console.print(Rule(Text(title, style="bold"), align="left", style="blue", characters="─"))
        await self.pause(0.6)

    async def prose(self, text: str) -> None:
        self.console.print()
        self.console.print(Text(" ".join(text.split())))
        await self.pause(len(text.split()) / WORDS_PER_SECOND)

    def picture(self, text: str) -> None:
        self.console.print(Text(text, style="cyan"), soft_wrap=True)

    async def happens(self, who: str, what: str, style: str = "") -> None:
        self.happened(who, what, style)
        await self.pause(0.25)

    def happened(self, who: str, what: str, style: str = "") -> None:
        line = Text("  ")
        line.append(who.ljust(20), style="bold")
        line.append(what, style=style)
        self.console.print(line, soft_wrap=True)

    async def true(self, claim: str) -> None:
        """Only after it was checked."""
        self.claims += 1
        self.console.print(Text("  ✓ ", style="bold green") + Text(claim))
        await self.pause(1.2)

    async def screen(self, command: str, output: str) -> None:
        """A command and what it printed, as the owner sees it."""
        self.console.print()
        self.console.print(Text(f"  $ {command}", style="bold magenta"), soft_wrap=True)
        for line in output.rstrip().splitlines():
            self.console.print(Text(f"  {line}", style="dim"), soft_wrap=True)
        self.console.print()
        await self.pause(3.0)

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

    async def pause(self, seconds: float) -> None:
        if not self.fast:
            await asyncio.sleep(seconds)
