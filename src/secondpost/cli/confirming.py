"""A question on the terminal, at which Ctrl-C and Ctrl-D mean no."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import click


def is_confirmed(question: str) -> bool:
    with _interrupted_at_once():
        try:
            return click.confirm(question)
        except click.Abort:
            click.echo()  # ends the line of the question
            return False


@contextmanager
def _interrupted_at_once() -> Iterator[None]:
    """Let Ctrl-C end the question while the body runs.

    asyncio's own handler takes the first one to cancel the task, which a task that waits for the
    keyboard would not notice.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
