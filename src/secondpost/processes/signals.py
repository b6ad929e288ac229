"""What a process of the service does when it is signalled."""

import asyncio
import signal
import sys

from secondpost.mail.alarm import AlarmKind
from secondpost.maillog import MailLog


def listen_for_signals(stop: asyncio.Event, log: MailLog) -> None:
    """SIGTERM and SIGINT end it, in good order. SIGHUP does so when the terminal that shows us was closed;
    else somebody wants us to read the configuration anew, and mail must not stop for that.
    """
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGHUP, _hung_up, stop, log)


def _hung_up(stop: asyncio.Event, log: MailLog) -> None:
    if sys.stderr.isatty():
        stop.set()
    else:
        log.alarm(AlarmKind.NOT_RELOADED, "the configuration is read when the service starts: restart it")
