"""The file that an import reads, or standard input."""

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from secondpost.cli.command import Ending, Exit
from secondpost.subscribers.list_document import Octets

STANDARD = "-"  # standard input, in place of a file
PIECE_OCTETS = 1024 * 1024


def source_of(path: str) -> str:
    """What the file is called in sentences."""
    return "standard input" if path == STANDARD else os.path.basename(path)


@contextmanager
def opened_list(path: str) -> Iterator[IO[bytes]]:
    """Open a list while still root, which may read what the store's owner may not.

    Input that cannot be read twice, such as a pipe, is copied to an unnamed file.
    """
    with ExitStack() as ends:
        try:
            raw = io.FileIO(0 if path == STANDARD else path, closefd=path != STANDARD)
            file: IO[bytes] = ends.enter_context(io.BufferedReader(raw, PIECE_OCTETS))
            if path == STANDARD or not file.seekable():
                pipe, file = file, ends.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(pipe, file, PIECE_OCTETS)
                file.flush()
        except OSError as error:
            raise Ending(f"{path} cannot be read: {error.strerror}", Exit.NO) from None
        yield file


def again_from_its_beginning(file: IO[bytes]) -> Octets:
    """A function that opens the file again at its beginning."""

    def octets() -> IO[bytes]:
        file.seek(0)
        return io.BufferedReader(io.FileIO(file.fileno(), closefd=False), PIECE_OCTETS)

    return octets
