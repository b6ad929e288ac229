"""The message as sent by deliver: prefix and content, from the table and from a real file."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from secondpost.deliver.contents import READ_OCTETS, Contents
from secondpost.deliver.message import ContentUnreadable, InPieces, Job, NothingToSend
from secondpost.deliver.stuck import StuckMail
from secondpost.mail.content import InFile, InTable
from secondpost.mail.delivery import Claimed, State
from secondpost.store.sqlite import SqliteStore
from secondpost.world.real.work import RealWork
from tests.alarms import logged_alarms
from tests.store.letters import Letters, leased, settled
from tests.store.place import SqlitePlace

PREFIX = b"Received: by mx2.example.net\r\n"
SMALL = b"Subject: small\r\n\r\n.dot\r\n"
LARGE = b"Subject: large\r\n\r\n" + bytes(range(256)) * 1024 * 3  # three pieces
SECONDS_MAX = 20.0


@dataclass
class Desk:
    """A real store and real files."""

    place: SqlitePlace
    store: SqliteStore
    contents: Contents
    lines: list[str] = field(default_factory=list)

    async def claimed(self, content: InTable | InFile, prefix: bytes = PREFIX) -> Claimed:
        await Letters(self.place, self.store).send("one@example.net", content=content, prefix=prefix)
        self.lease = await leased(self.store)
        [claimed] = await self.store.claim(self.lease, self.place.clock.ms, 10)
        return claimed

    def file(self, data: bytes, size: int) -> InFile:
        """A content file; `size` is the one in its row."""
        name = f"content/{self.store.worker}-large"
        file = self.place.mail_disk.create(name)
        file.write(data)
        file.close()
        return InFile(name, size)

    async def sent(self, claimed: Claimed) -> bytes:
        [body] = await self.contents.of_jobs([Job((claimed,))])
        if isinstance(body, bytes):
            return body
        assert isinstance(body, InPieces), body
        read, pieces = bytearray(), 0
        while len(read) < body.size:
            read += await body.piece(len(read))
            pieces += 1
        assert pieces == -(-len(LARGE) // READ_OCTETS), "the prefix is no piece of its own"
        return bytes(read)


def at_desk(folder: Path, story: Callable[[Desk], Awaitable[None]]) -> Desk:
    async def day() -> Desk:
        place, work, lines = SqlitePlace(str(folder)), RealWork(1), list[str]()
        store = place.open()
        stuck = StuckMail(place.clock, logged_alarms(lines))
        desk = Desk(place, store, Contents(store, place.mail_disk, work, stuck), lines)
        try:
            async with asyncio.timeout(SECONDS_MAX):
                await story(desk)
        finally:
            await place.close()
            work.close()
        return desk

    return asyncio.run(day())


@pytest.mark.parametrize("prefix", [PREFIX, b""], ids=["prefix", "none"])
@pytest.mark.parametrize("data", [SMALL, LARGE], ids=["small", "large"])
def test_what_is_sent_begins_with_the_prefix_and_is_whole(tmp_path: Path, data: bytes, prefix: bytes) -> None:
    async def story(desk: Desk) -> None:
        content = InTable(data) if data is SMALL else desk.file(data, len(data))
        claimed = await desk.claimed(content, prefix)
        assert await desk.sent(claimed) == prefix + data
        for octets in (1, len(prefix) + 1, READ_OCTETS + 1, len(LARGE) * 2):
            assert await desk.contents.beginning(claimed, octets) == (prefix + data)[:octets]

    at_desk(tmp_path, story)


def test_a_file_that_ends_before_its_size_is_an_error_with_an_alarm(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        claimed = await desk.claimed(desk.file(LARGE[:-1], len(LARGE)))
        [body] = await desk.contents.of_jobs([Job((claimed,))])
        assert isinstance(body, InPieces)
        assert await body.piece(0) == PREFIX + LARGE[:READ_OCTETS]
        with pytest.raises(ContentUnreadable, match="ends after"):
            await body.piece(len(PREFIX) + len(LARGE) - 1)
        with pytest.raises(LookupError, match="ends after"):
            await desk.contents.beginning(claimed, claimed.size)

    lines = at_desk(tmp_path, story).lines
    assert len(lines) == 1
    assert "content-unreadable" in lines[0]


def test_a_file_that_is_not_there_is_an_error_and_not_a_short_message(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        claimed = await desk.claimed(InFile("content/1-none", 200_000))
        [body] = await desk.contents.of_jobs([Job((claimed,))])
        assert isinstance(body, InPieces)
        with pytest.raises(ContentUnreadable):
            await body.piece(0)

    at_desk(tmp_path, story)


def test_content_that_is_gone_is_nothing_to_send(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        claimed = await desk.claimed(InTable(SMALL))
        await desk.store.settle(desk.lease, [settled(claimed, State.DELIVERED, desk.place.clock.ms)])
        [body] = await desk.contents.of_jobs([Job((claimed,))])
        assert isinstance(body, NothingToSend)
        with pytest.raises(LookupError):
            await desk.contents.beginning(claimed, 10)

    at_desk(tmp_path, story)
