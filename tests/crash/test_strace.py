"""strace of the running service proves that everything was synced before the 250."""

import asyncio
import shutil
from pathlib import Path

import pytest

from secondpost.mail.content import CONTENT_FOLDER, IN_TABLE_OCTETS_MAX
from tests.crash.postoffice import RECIPIENT, PostOffice
from tests.crash.strace_reading import SYNCS, TRACED, not_durable, read_calls

CLOSED_PORT = 9  # discard: nothing listens, so everything is held
SESSION_SECONDS_MAX = 60.0


@pytest.mark.parametrize("octets", [4_096, 25_000_000], ids=["4 KB", "25 MB"])
def test_all_is_synced_before_the_250(tmp_path: Path, octets: int) -> None:
    assert shutil.which("strace") is not None, "apt install strace"
    trace = tmp_path / "trace"
    wrapper = ("strace", "-f", "-yy", "-s", "64", "-o", str(trace), "-e", f"trace={TRACED}")
    office = PostOffice(tmp_path, CLOSED_PORT, wrapper)
    try:
        office.start()
        office.wait_for_roles()
        asyncio.run(deliver_to(office.port, octets))
        office.stop()
    finally:
        office.end()
    calls = read_calls(trace.read_text(errors="replace").splitlines())
    store = str(office.store)
    assert not_durable(calls, store) == []
    # The trace without the syncs of one file must be rejected: it is they that are checked.
    involved = [f"{store}/mail/mail.db-wal"]
    if octets > IN_TABLE_OCTETS_MAX:
        [content] = (office.store / "mail" / CONTENT_FOLDER).iterdir()
        involved += [str(content), str(content.parent)]
    for path in involved:
        without = [call for call in calls if call.name not in SYNCS or call.path != path]
        assert any(path in fault for fault in not_durable(without, store))


async def deliver_to(port: int, octets: int) -> None:
    async with asyncio.timeout(SESSION_SECONDS_MAX):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readuntil(b"\n")
        for line in ("HELO a.example", "MAIL FROM:<a@a.example>", f"RCPT TO:<{RECIPIENT}>", "DATA"):
            writer.write(line.encode("ascii") + b"\r\n")
            reply = await reader.readuntil(b"\n")
            assert reply[:1] in (b"2", b"3"), reply
        row = b"x" * 76 + b"\r\n"
        writer.write(b"Subject: strace\r\n\r\n" + row * (octets // len(row)) + b".\r\n")
        reply = await reader.readuntil(b"\n")
        assert reply.startswith(b"250"), reply
        writer.close()
        await writer.wait_closed()
