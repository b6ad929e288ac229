"""`status --watch`: the state of everything on one screen, renewed every few seconds.

On a terminal it takes the alternate screen and gives it back; elsewhere it prints a status per look. The
stores are opened for each look, so that a service that is stopped, upgraded or restored meanwhile is
seen as it is.
"""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, ConsoleDimensions, Group
from rich.control import Control
from rich.text import Text

from secondpost.cli.live_lines import DOWN_STYLE, LiveLine, cut, live_lines
from secondpost.cli.opening import become_owner, configuration
from secondpost.cli.screen import on_terminal, say
from secondpost.config.records import Config
from secondpost.mail.printable import printable
from secondpost.owner.live import LiveLook, live_look
from secondpost.roles.desk import open_to_look
from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
from secondpost.world.ports import DiskFailed

PLAIN_COLUMNS, PLAIN_LINES = 80, 1_000
SCREEN_LINES = 24  # of a terminal that does not say
KEYS_OCTETS_MAX = 64
KEYS_THAT_END = frozenset(b"qQ")
STORE_FAULTS = (StoreFull, StoreRefused, StoreUnavailable, DiskFailed)


def watch_status(seconds: float) -> None:
    """Show the status until the owner ends it."""
    config = configuration()
    become_owner(config)
    asyncio.run(_on_screen(config, seconds) if on_terminal() else _in_lines(config, seconds))


async def _on_screen(config: Config, seconds: float) -> None:
    watch = _Watching(config)
    console = Console(highlight=False)
    with console.screen(hide_cursor=True) as screen, watch.keys():
        while not watch.is_over:
            console.size = ConsoleDimensions(*_size())
            lines = await watch.lines(*console.size)
            console.control(Control.home())  # written over, since a cleared screen flickers
            screen.update(Group(*(Text(line.text, line.style, no_wrap=True) for line in lines)))
            await watch.rest(seconds)


def _size() -> tuple[int, int]:
    """Of the terminal as it is now: the variables COLUMNS and LINES do not follow it."""
    columns, lines = os.get_terminal_size(sys.stdout.fileno())
    return columns or PLAIN_COLUMNS, lines or SCREEN_LINES


async def _in_lines(config: Config, seconds: float) -> None:
    watch = _Watching(config)
    watch.listen_for_the_end()
    while not watch.is_over:
        lines = await watch.lines(PLAIN_COLUMNS, PLAIN_LINES)
        say("\n".join(line.text for line in lines) + "\n\n")
        sys.stdout.flush()
        await watch.rest(seconds)


class _Watching:
    """Make it in a running loop."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._before: LiveLook | None = None
        self._last: LiveLook | None = None
        self._fault = ""
        self._resized = asyncio.Event()
        self._over = asyncio.Event()

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    async def lines(self, width: int, height: int) -> Sequence[LiveLine]:
        """Look again, unless only the size of the screen changed."""
        if not self._resized.is_set():
            await self._look()
        self._resized.clear()
        if len(self._fault) > 0 or self._last is None:
            return [LiveLine(cut(self._fault, width), DOWN_STYLE), LiveLine("q ends")]
        return live_lines(self._last, self._before, self._config, width, height)

    async def _look(self) -> None:
        try:
            async with open_to_look(self._config) as (desk, newsletter):
                look = await live_look(desk, newsletter, self._config)
        except STORE_FAULTS as fault:
            self._fault = f"The store cannot be read now: {printable(str(fault))}"
            return
        self._fault = ""
        self._before, self._last = self._last, look

    async def rest(self, seconds: float) -> None:
        """Wait for the next look, or until the screen is resized or the owner ends it."""
        woken = [asyncio.ensure_future(one.wait()) for one in (self._resized, self._over)]
        await asyncio.wait(woken, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for one in woken:
            one.cancel()

    def listen_for_the_end(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._over.set)

    @contextmanager
    def keys(self) -> Iterator[None]:
        """Act on the keyboard and on the size of the screen; the terminal is then as it was."""
        self.listen_for_the_end()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGWINCH, self._resized.set)
        if not sys.stdin.isatty():
            yield
            return
        keyboard = sys.stdin.fileno()
        before = termios.tcgetattr(keyboard)
        tty.setcbreak(keyboard)
        loop.add_reader(keyboard, self._key, keyboard)
        try:
            yield
        finally:
            loop.remove_reader(keyboard)
            termios.tcsetattr(keyboard, termios.TCSADRAIN, before)

    def _key(self, keyboard: int) -> None:
        typed = os.read(keyboard, KEYS_OCTETS_MAX)
        if len(typed) == 0 or not KEYS_THAT_END.isdisjoint(typed):  # nothing: the terminal is gone
            self._over.set()
