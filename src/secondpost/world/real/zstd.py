"""Unpacks zstd with the program of that name, since Python 3.11 has no library for it."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator

from secondpost.watch.logs.archive import LogOctets, LogTorn
from secondpost.watch.logs.blocks import BLOCK_OCTETS

PROGRAM = "zstd"
STANDARD_INPUT = "/*stdin*\\"  # how the program names it before its faults
MEMORY_MEBIOCTETS_MAX = 128  # what zstd -19 and below need


def unpacked_by_zstd(read: LogOctets) -> Iterator[bytes]:
    """What the program writes while it is fed. Raises LogTorn if it is missing or fails."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise LogTorn(
            "is packed by zstd, and the program zstd is missing: install it, or unpack the log elsewhere"
        )
    command = [program, "-dcq", f"--memory={MEMORY_MEBIOCTETS_MAX}MB", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    ) as running:
        feeder = _Feeder(read, running)
        feeder.thread.start()
        try:
            yield from _written(running)
        except GeneratorExit:
            running.kill()
            raise
        finally:
            feeder.thread.join()
        faults = b"" if running.stderr is None else running.stderr.read(BLOCK_OCTETS)
        failed = running.wait() != 0
    if feeder.error is not None:
        raise feeder.error
    if failed:
        raise LogTorn(
            "is damaged, or a part of it is missing: what zstd packed cannot be unpacked further "
            f"({_first_line(faults)})"
        )


class _Feeder:
    """Writes to the program in a thread of its own: it may write before it has read all."""

    def __init__(self, read: LogOctets, running: subprocess.Popen[bytes]) -> None:
        self.error: OSError | None = None  # of reading
        self.thread = threading.Thread(target=self._feed, args=(read, running), daemon=True)

    def _feed(self, read: LogOctets, running: subprocess.Popen[bytes]) -> None:
        pipe = running.stdin
        if pipe is None:
            return
        with pipe:
            while True:
                try:
                    piece = read(BLOCK_OCTETS)
                except OSError as error:
                    self.error = error
                    return
                if len(piece) == 0:
                    return
                try:
                    _write_all(pipe.fileno(), piece)
                except BrokenPipeError:  # it ended: its own words say why
                    return


def _write_all(pipe: int, piece: bytes) -> None:
    rest = memoryview(piece)
    while len(rest) > 0:
        rest = rest[os.write(pipe, rest) :]


def _written(running: subprocess.Popen[bytes]) -> Iterator[bytes]:
    if running.stdout is not None:
        while len(piece := running.stdout.read(BLOCK_OCTETS)) > 0:
            yield piece


def _first_line(faults: bytes) -> str:
    lines = faults.decode("utf-8", "replace").splitlines()
    words = lines[0].removeprefix(STANDARD_INPUT).strip(" :") if len(lines) > 0 else ""
    return words if len(words) > 0 else "zstd failed"
