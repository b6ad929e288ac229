"""Signal handling of the service's processes."""

import asyncio
import signal
import sys

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms


def listen_for_signals(stop: asyncio.Event, alarms: StandingAlarms) -> None:
    """Stop in good order on SIGTERM and SIGINT.

    On SIGHUP, stop if our terminal was closed; otherwise it is meant to reload the configuration,
    for which mail must not stop.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _hung_up, stop, alarms)


def _hung_up(stop: asyncio.Event, alarms: StandingAlarms) -> None:
    if sys.stderr.isatty():
        stop.set()
    else:
        why = "the configuration is read when the service starts: restart it"
        alarms.begin(AlarmKind.NOT_RELOADED, "", why)
