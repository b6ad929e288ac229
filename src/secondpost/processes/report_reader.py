"""A process that only reads reports in old forms: `python -m secondpost.processes.report_reader`.

An order is the beginning of a mail; its answer is the report in MessagePack, or nil.
"""

import logging
import sys

import msgspec

from secondpost.processes.bounded_reader import ReaderBounds, serve_documents
from secondpost.protocols.dsn.old_forms import read_old_form

MEMORY_OCTETS_MAX = 512 * 1_024 * 1_024  # of address space, with the interpreter and its libraries
CPU_SECONDS_MAX = 2  # per mail; a real report takes milliseconds


def _answer(order: bytes) -> bytes:
    return msgspec.msgpack.encode(read_old_form(order))


def main() -> int:
    # It logs a traceback of each mail that it trips over, and anyone can send one.
    logging.getLogger("flufl.bounce").disabled = True
    return serve_documents(_answer, ReaderBounds(MEMORY_OCTETS_MAX, CPU_SECONDS_MAX))


if __name__ == "__main__":
    sys.exit(main())
