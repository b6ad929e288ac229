"""Signal handling of the service's processes."""

import asyncio
import signal
import sys
from collections.abc import Callable


def listen_for_signals(stop: asyncio.Event, hung_up: Callable[[], None]) -> None:
    """Stop in good order on SIGTERM and SIGINT.

    On SIGHUP, stop if our terminal was closed; otherwise it means to reload the configuration, and
    `hung_up` is called.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, stop.set if sys.stderr.isatty() else hung_up)
