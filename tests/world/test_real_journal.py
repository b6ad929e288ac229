"""The journal's socket, and what is written where it cannot be reached."""

import asyncio
import os
import socket
from collections.abc import Callable
from pathlib import Path

from secondpost.world.real.clock import RealClock
from secondpost.world.real.journal import Journal, journal_of
from secondpost.world.real.log import LogWriter
from secondpost.world.real.work import RealWork


def stream(descriptor: int) -> dict[str, str]:
    status = os.fstat(descriptor)
    return {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}


def written(journal: Journal | None, to: int, write: Callable[[LogWriter], None]) -> None:
    async def run() -> None:
        work = RealWork(threads=1)
        writer = LogWriter(RealClock(), work.line("log"), "receive", to, journal)
        writer.say("connected peer=192.0.2.1")
        writer.say("connected peer=192.0.2.2")
        write(writer)
        writer.end()
        work.close()

    asyncio.run(run())


def test_entries_go_to_the_socket_and_none_to_standard_error(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "socket"))
        ear.setblocking(False)
        for write in (LogWriter.write_out, lambda writer: writer.write_out_within(5.0)):
            written(journal_of(stream(theirs), theirs, str(tmp_path / "socket")), theirs, write)
            entries = [ear.recv(65_536).decode().split("\n") for _ in range(2)]
            assert [entry[5] for entry in entries] == [
                "SECONDPOST_PEER=192.0.2.1",
                "SECONDPOST_PEER=192.0.2.2",
            ]
            assert entries[0][:5] == [
                "MESSAGE=connected peer=192.0.2.1",
                "PRIORITY=6",
                "SYSLOG_IDENTIFIER=secondpost",
                "SECONDPOST_ROLE=receive",
                "SECONDPOST_EVENT=connected",
            ]
    os.close(theirs)
    assert os.read(ours, 100) == b""
    os.close(ours)


def test_a_journal_that_is_gone_leaves_lines_on_standard_error(tmp_path: Path) -> None:
    ours, theirs = os.pipe()
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind(str(tmp_path / "socket"))
    journal = journal_of(stream(theirs), theirs, str(tmp_path / "socket"))
    ear.close()
    assert journal is not None
    written(journal, theirs, LogWriter.write_out)
    assert [line.split(b" ", 1)[1] for line in os.read(ours, 4096).splitlines()] == [
        b"receive connected peer=192.0.2.1",
        b"receive connected peer=192.0.2.2",
    ]
    os.close(ours)
    os.close(theirs)


def test_standard_error_that_leads_elsewhere_gets_lines(tmp_path: Path) -> None:
    """As behind a pipe, or in a root without the socket."""
    ours, theirs = os.pipe()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "socket"))
        assert journal_of({}, theirs, str(tmp_path / "socket")) is None
        assert journal_of(stream(ours) | {"JOURNAL_STREAM": "1:1"}, theirs, str(tmp_path / "socket")) is None
        assert journal_of(stream(theirs), theirs, str(tmp_path / "elsewhere")) is None
    os.close(ours)
    os.close(theirs)
