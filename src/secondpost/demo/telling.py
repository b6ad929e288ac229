"""Prints the story: colours and a spinner on a terminal, plain lines in a pipe.

Events are printed as they happen. Prose and claims wait until the reader had time for the text
before them.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

WIDTH_MAX = 96
TOLD_SECONDS = 32.0  # after this time the rest is printed without pauses
WORDS_PER_SECOND = 12.0  # speed of a skimming reader
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
        self.read_at = self.began  # when the printed text is expected to be read

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
        """Print an event immediately."""
        line = Text("  ")
        line.append(who.ljust(20), style="bold")
        line.append(what, style=style)
        self.console.print(line, soft_wrap=True)

    async def true(self, claim: str) -> None:
        """Print a claim that was checked."""
        await self._turn(CLAIM_SECONDS)
        self.claims += 1
        self.console.print(Text("  ✓ ", style="bold green") + Text(claim))

    async def screen(self, command: str, output: str) -> None:
        """Print a command and its output."""
        await self._turn(SCREEN_SECONDS)
        self.console.print()
        self.console.print(Text(f"  $ {command}", style="bold magenta"), soft_wrap=True)
        for line in output.rstrip().splitlines():
            self.console.print(Text(f"  {line}", style="dim"), soft_wrap=True)
        self.console.print()

    @contextmanager
    def meanwhile(self, what: str) -> Iterator[None]:
        """Show a spinner while the body runs."""
        if not self.console.is_terminal:
            yield
            return
        with self.console.status(Text(what, style="dim")):
            yield

    def wrong(self, what: str) -> None:
        self.console.print()
        self.console.print(Text(what, style="bold red"), soft_wrap=True)

    def log(self, lines: str) -> None:
        """Print the end of the service's log."""
        self.console.print(Text(lines, style="dim"), soft_wrap=True)

    async def _turn(self, seconds: float = 0.0) -> None:
        """Wait until the earlier text is read; the next text takes `seconds`."""
        if not self.fast:
            await asyncio.sleep(self.read_at - time.monotonic())
            self.read_at = min(time.monotonic() + seconds, self.began + TOLD_SECONDS)
