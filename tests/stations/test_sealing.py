"""Messages are sealed when they are sent: a real store and real files, judged by dkimpy."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from msgspec import structs

from secondpost.config.records import Authenticate, Backup, Config, Web
from secondpost.deliver.contents import Contents
from secondpost.deliver.message import Body, InPieces, Job, NothingToSend
from secondpost.deliver.sealing import Seals
from secondpost.deliver.stuck import StuckMail
from secondpost.mail.address import Domain
from secondpost.mail.authentication import NO_NOTE, AuthenticationNote, AuthResult, SealMaterial
from secondpost.mail.content import Content, InFile, InTable
from secondpost.mail.delivery import Claimed
from secondpost.protocols.dkim.canonical import relaxed_body
from secondpost.store.sqlite import SqliteStore
from secondpost.world.real.clock import RealClock
from secondpost.world.real.work import RealWork
from tests.alarms import logged_alarms
from tests.protocols import dkimpy_says
from tests.protocols.dkim_keys import keys
from tests.store.letters import Letters, leased
from tests.store.place import SqlitePlace

US = Domain("mx2.example.net")
RESULTS = "mx2.example.net;\r\n spf=pass smtp.mailfrom=elsewhere.example;\r\n arc=none"
PREFIX = f"Received: by mx2.example.net\r\nAuthentication-Results: {RESULTS}\r\n".encode()
HEADER = b"From: ann@elsewhere.example\r\nTo: anna@example.net\r\nSubject: hello\r\n\r\n"
SMALL = HEADER + b"Hello.\r\n"
LARGE = HEADER + b"Hello  again. \r\n" * 40_000
SECONDS_MAX = 20.0


def note_of(message: bytes, status: AuthResult = AuthResult.NONE, instance: int = 1) -> AuthenticationNote:
    body = message.partition(b"\r\n\r\n")[2]
    return AuthenticationNote(
        RESULTS, SealMaterial(instance, status, RESULTS, sha256(relaxed_body(body)).digest())
    )


def signed(message: bytes) -> bytes:
    forms = ("relaxed", "relaxed")
    key = keys().rsa_pem
    return (
        dkimpy_says.signature_of(message, "sp-rsa", "elsewhere.example", key, "rsa-sha256", forms) + message
    )


@dataclass
class Desk:
    place: SqlitePlace
    store: SqliteStore
    contents: Contents

    def content(self, message: bytes) -> Content:
        if len(message) < 100_000:
            return InTable(message)
        name = f"content/{self.store.worker}-large"
        file = self.place.mail_disk.create(name)
        file.write(message)
        file.close()
        return InFile(name, len(message))

    async def claimed(self, message: bytes, note: AuthenticationNote, *recipients: str) -> list[Claimed]:
        letters = Letters(self.place, self.store)
        arrival = letters.arrival(*recipients, content=self.content(message), prefix=PREFIX)
        await self.store.accept(structs.replace(arrival, authentication=note))
        return await self.store.claim(await leased(self.store), self.place.clock.ms, 10)

    async def sent(self, message: bytes, note: AuthenticationNote, to: str = "anna@example.net") -> bytes:
        claimed = await self.claimed(message, note, to)
        [body] = await self.contents.of_jobs([Job(tuple(claimed))])
        return await whole(body)


async def whole(body: Body | NothingToSend) -> bytes:
    if isinstance(body, bytes):
        return body
    assert isinstance(body, InPieces)
    read = b""
    while len(read) < body.size:
        read += await body.piece(len(read))
    assert len(read) == body.size
    return read


def at_desk(folder: Path, story: Callable[[Desk], Awaitable[None]]) -> None:
    async def day() -> None:
        place, work = SqlitePlace(str(folder)), RealWork(1)
        store = place.open()
        config = Config(
            path="",
            hostname=US,
            store=str(folder),
            owner=(),
            bounces=US,
            web=Web(url=None),
            backups=(
                Backup(Domain("example.net"), authenticate=Authenticate.SEAL),
                Backup(Domain("example.org")),
            ),
        )
        seals = Seals(config, store, keys().signing[0], RealClock(), work)
        contents = Contents(store, place.mail_disk, work, StuckMail(place.clock, logged_alarms([])), seals)
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await story(Desk(place, store, contents))
        finally:
            await place.close()
            work.close()

    asyncio.run(day())


@pytest.mark.parametrize("message", [SMALL, LARGE], ids=["small", "large"])
def test_a_set_stands_above_the_message_whose_signature_still_verifies(
    tmp_path: Path, message: bytes
) -> None:
    message = signed(message)

    async def story(desk: Desk) -> None:
        sent = await desk.sent(message, note_of(message))
        assert sent.startswith(b"ARC-Seal: i=1; a=rsa-sha256; t=")
        assert sent.endswith(PREFIX + message)
        assert f"ARC-Authentication-Results: i=1; {RESULTS}\r\n".encode() in sent
        assert b"d=mx2.example.net; s=sp-rsa;" in sent
        assert dkimpy_says.arc_status(sent, keys().txt) == "pass"
        assert dkimpy_says.accepts(sent, 0, keys().txt)
        broken = sent.replace(b"Hello", b"Hallo", 1)
        assert dkimpy_says.arc_status(broken, keys().txt) == "fail"

    at_desk(tmp_path, story)


def test_a_chain_of_others_gets_a_further_set(tmp_path: Path) -> None:
    first = dkimpy_says.arc_set_of(
        b"Authentication-Results: list.example; spf=pass\r\n" + SMALL,
        "sp-rsa",
        "list.example",
        keys().rsa_pem,
    )
    message = first + SMALL

    async def story(desk: Desk) -> None:
        sent = await desk.sent(message, note_of(message, AuthResult.PASS, 2))
        assert sent.startswith(b"ARC-Seal: i=2; a=rsa-sha256; t=")
        assert dkimpy_says.arc_status(sent, keys().txt) == "pass"

    at_desk(tmp_path, story)


@pytest.mark.parametrize(
    ("to", "note"),
    [
        ("bob@example.org", note_of(SMALL)),  # its domain only records
        ("anna@example.net", AuthenticationNote(RESULTS)),  # came before its domain wanted seals
        ("anna@example.net", NO_NOTE),
        ("anna@example.net", note_of(SMALL, AuthResult.PASS, 2)),  # its chain is not there any more
    ],
)
def test_without_what_a_seal_needs_a_message_goes_as_it_is(
    tmp_path: Path, to: str, note: AuthenticationNote
) -> None:
    async def story(desk: Desk) -> None:
        assert await desk.sent(SMALL, note, to) == PREFIX + SMALL

    at_desk(tmp_path, story)


def test_of_several_messages_each_gets_its_own(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        letters = Letters(desk.place, desk.store)
        messages = [SMALL.replace(b"Hello", f"Hello {n}".encode()) for n in range(3)]
        for n, message in enumerate(messages):
            to = "anna@example.net" if n != 1 else "bob@example.net"
            note = note_of(message) if n != 1 else NO_NOTE
            arrival = letters.arrival(to, content=InTable(message), prefix=PREFIX)
            await desk.store.accept(structs.replace(arrival, authentication=note))
        claimed = await desk.store.claim(await leased(desk.store), desk.place.clock.ms, 10)
        bodies = await desk.contents.of_jobs([Job((each,)) for each in claimed])
        sent = [await whole(body) for body in bodies]
        assert [body.endswith(message) for body, message in zip(sent, messages, strict=True)] == [True] * 3
        status = [dkimpy_says.arc_status(body, keys().txt) for body in sent]
        assert status == ["pass", "none", "pass"]

    at_desk(tmp_path, story)


def test_a_file_that_is_gone_is_nothing_to_send(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        [claimed] = await desk.claimed(LARGE, note_of(LARGE), "anna@example.net")
        assert claimed.file is not None
        desk.place.mail_disk.remove(claimed.file)
        [body] = await desk.contents.of_jobs([Job((claimed,))])
        assert isinstance(body, NothingToSend)

    at_desk(tmp_path, story)
