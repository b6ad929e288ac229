"""Network namespaces: a thread of this process can be in another one."""

import contextlib
import ctypes
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def inside(namespace: Path) -> Iterator[None]:
    """The calling thread is in the network of this file: the sockets that it makes, and the threads and
    processes that it starts.
    """
    with open("/proc/thread-self/ns/net", "rb") as ours, open(namespace, "rb") as there:
        _enter(there.fileno())
        try:
            yield
        finally:
            _enter(ours.fileno())


def _enter(descriptor: int) -> None:
    """setns(2) for the calling thread alone; Python has it from 3.12."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.setns(descriptor, 0x40000000) != 0:  # CLONE_NEWNET
        raise OSError(ctypes.get_errno(), "setns")
