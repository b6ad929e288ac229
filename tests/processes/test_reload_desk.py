"""What `secondpost reload` makes of an answer that is none."""

import asyncio
from pathlib import Path

import pytest

from secondpost.config.records import Config, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.processes.reload_desk import NoService, ask_to_reload, desk_name

HOST = Domain("mx2.example.net")


@pytest.mark.parametrize("answer", [b"", b"\n", b"\xff\n", b"{}\n", b'{"path": 1}\n', b"[" * 100_000 + b"\n"])
def test_an_answer_that_makes_no_sense_is_no_service(answer: bytes, tmp_path: Path) -> None:
    config = Config("", HOST, str(tmp_path), (Mailbox.parse("me@elsewhere.example"),), HOST, Web(None))

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(answer)
        writer.close()

    async def story() -> None:
        server = await asyncio.start_unix_server(respond, str(tmp_path / desk_name(None)))
        try:
            with pytest.raises(NoService):
                await ask_to_reload(config)
        finally:
            server.close()

    asyncio.run(story())
