"""Our TLS against OpenSSL on a plain socket: half-closed, slow, unread, broken, both loops."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import cast

import pytest

from secondpost.mail.address import Endpoint
from secondpost.world.closing import close_soon
from secondpost.world.ports import ServerTls
from secondpost.world.real.net import RealNet
from secondpost.world.real.tls import ServerCertificate

from .certificates import make_pair
from .conftest import Run
from .test_real_net import ANY, Talker

NAME = "mx.example.net"
PIECE_OCTETS = 64 * 1024


class Office(Talker):
    """A server that starts TLS at once. `stays`: what its `eof_received` returns."""

    def __init__(self, net: RealNet) -> None:
        super().__init__()
        self.net = net
        self.stays = True
        self.ends_heard = 0
        self.is_choked = False
        self.fault: Exception | None = None
        self.secret: asyncio.Transport | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._tasks.append(
            asyncio.get_running_loop().create_task(self._start(cast("asyncio.Transport", transport)))
        )

    async def _start(self, transport: asyncio.Transport) -> None:
        self.secret, _ = await self.net.start_tls(transport, self, ServerTls(), 5)
        self._changed.set()

    def eof_received(self) -> bool:
        self.ends_heard += 1
        self._changed.set()
        return self.stays

    def pause_writing(self) -> None:
        self.is_choked = True
        self._changed.set()

    def resume_writing(self) -> None:
        self.is_choked = False
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.fault = exc
        super().connection_lost(exc)

    async def opened(self) -> asyncio.Transport:
        await self.until(lambda it: self.secret is not None)
        assert self.secret is not None
        return self.secret


class Caller:
    """OpenSSL by hand over a stream, to do what no transport would."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._tls = context.wrap_bio(self._in, self._out)

    async def shake_hands(self) -> None:
        while True:
            with suppress(ssl.SSLWantReadError):
                self._tls.do_handshake()
                self.writer.write(self._out.read())
                return
            self.writer.write(self._out.read())
            self._in.write(await self.reader.read(PIECE_OCTETS))

    def words(self, data: bytes, *, last: bool = False) -> bytes:
        """The ciphertext of `data`; `last`: followed by a close_notify."""
        self._tls.write(data)
        if last:
            with suppress(ssl.SSLWantReadError):
                self._tls.unwrap()
        return self._out.read()

    async def hear_all(self) -> bytes:
        """Read up to the close_notify, which must come: otherwise data may be cut off."""
        heard = b""
        while True:
            try:
                while len(piece := self._tls.read(PIECE_OCTETS)) > 0:
                    heard += piece
                return heard
            except ssl.SSLZeroReturnError:
                return heard
            except ssl.SSLWantReadError:
                data = await self.reader.read(PIECE_OCTETS)
                assert len(data) > 0, (len(heard), "no close_notify")
                self._in.write(data)


Story = Callable[[Office, Caller], Awaitable[None]]


@pytest.fixture
def in_office(run: Run[object], tmp_path: Path) -> Callable[[Story], None]:
    async def day(story: Story) -> None:
        pair = make_pair(tmp_path, NAME)
        net = RealNet(certificate=ServerCertificate(pair.certificate, pair.key))
        office = Office(net)
        door = await net.listen(lambda: office, ANY)
        caller = Caller(*await _connected(door.endpoint))
        await caller.shake_hands()
        try:
            await story(office, caller)
        finally:
            caller.writer.transport.abort()
            door.close()
            await asyncio.sleep(0.01)

    return lambda story: cast("None", run(day(story)))


async def _connected(endpoint: Endpoint) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection(endpoint.host, endpoint.port)


@pytest.mark.parametrize("notifies", [True, False], ids=["close_notify", "FIN alone"])
def test_who_ends_its_sending_with_its_last_words_still_gets_the_answer(
    in_office: Callable[[Story], None], notifies: bool
) -> None:
    async def story(office: Office, caller: Caller) -> None:
        secret = await office.opened()
        caller.writer.write(caller.words(b".\r\nQUIT\r\n", last=notifies))
        caller.writer.write_eof()
        await office.until(lambda it: it.heard == b".\r\nQUIT\r\n" and office.ends_heard == 1)
        await asyncio.sleep(0.01)  # a disk
        assert not secret.is_closing()
        secret.write(b"250 Ok\r\n" + b"x" * 300_000 + b"221 Bye\r\n")
        secret.close()
        heard = await caller.hear_all()
        assert heard.startswith(b"250 Ok\r\n")
        assert heard.endswith(b"221 Bye\r\n")
        await office.until(lambda it: it.is_lost)
        assert office.ends_heard == 1
        assert office.fault is None

    in_office(story)


def test_a_protocol_that_has_nothing_more_to_say_is_closed_with_a_close_notify(
    in_office: Callable[[Story], None],
) -> None:
    async def story(office: Office, caller: Caller) -> None:
        office.stays = False
        secret = await office.opened()
        secret.write(b"220 ")
        caller.writer.write(caller.words(b"QUIT\r\n", last=True))
        assert await caller.hear_all() == b"220 "
        await office.until(lambda it: it.is_lost)
        secret.write(b"too late")
        secret.close()
        secret.abort()

    in_office(story)


def test_after_our_own_last_words_the_other_side_is_still_heard(in_office: Callable[[Story], None]) -> None:
    async def story(office: Office, caller: Caller) -> None:
        secret = await office.opened()
        caller.writer.write(caller.words(b"first "))
        await office.until(lambda it: it.heard == b"first ")
        secret.write(b"421 enough\r\n")
        secret.write_eof()
        secret.write(b"never said")
        assert await caller.hear_all() == b"421 enough\r\n"
        assert not secret.is_closing()
        caller.writer.write(caller.words(b"then "))
        await office.until(lambda it: it.heard == b"first then ")
        caller.writer.write(caller.words(b"last", last=True))
        caller.writer.write_eof()
        await office.until(lambda it: office.ends_heard == 1)
        assert office.heard == b"first then last"
        secret.close()
        await office.until(lambda it: it.is_lost)
        assert office.fault is None

    in_office(story)


def test_our_last_words_may_meet_theirs_on_the_way(
    in_office: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(office: Office, caller: Caller) -> None:
        secret = await office.opened()
        caller.writer.write(caller.words(b"x" * 100_000))
        hear = office.data_received

        def enough(data: bytes) -> None:
            hear(data)
            secret.write_eof()

        monkeypatch.setattr(office, "data_received", enough)
        await office.until(lambda it: len(it.heard) == 100_000)
        caller.writer.write(caller.words(b"y" * 100_000, last=True))
        await office.until(lambda it: office.ends_heard == 1)
        assert len(office.heard) == 200_000
        secret.abort()

    in_office(story)


def test_what_is_broken_behind_our_last_words_ends_the_connection(in_office: Callable[[Story], None]) -> None:
    async def story(office: Office, caller: Caller) -> None:
        secret = await office.opened()
        secret.write_eof()
        caller.writer.write(b"\x17\x03\x03\x00\x20" + b"?" * 32)
        await office.until(lambda it: it.is_lost)
        assert isinstance(office.fault, ssl.SSLError)

    in_office(story)


def test_much_passes_unchanged_in_both_directions(in_office: Callable[[Story], None]) -> None:
    much = bytes(range(256)) * 20_000

    async def story(office: Office, caller: Caller) -> None:
        secret = await office.opened()
        secret.write(memoryview(much))
        sent = caller.words(much, last=True)
        for start in range(0, len(sent), 100_001):
            caller.writer.write(sent[start : start + 100_001])
        await office.until(lambda it: office.ends_heard == 1)
        assert office.heard == much
        close_soon(secret)
        assert await caller.hear_all() == much

    in_office(story)


def test_while_reading_is_paused_neither_words_nor_their_end_are_told(
    in_office: Callable[[Story], None],
) -> None:
    async def story(office: Office, caller: Caller) -> None:
        secret = await office.opened()
        secret.pause_reading()
        assert not secret.is_reading()
        caller.writer.write(caller.words(b"x" * 50_000, last=True))
        caller.writer.write_eof()
        await asyncio.sleep(0.05)
        assert (office.heard, office.ends_heard) == (b"", 0)
        secret.resume_reading()
        await office.until(lambda it: office.ends_heard == 1)
        assert office.heard == b"x" * 50_000
        secret.abort()

    in_office(story)


def test_a_protocol_that_pauses_with_the_last_words_hears_of_the_end_when_it_reads_again(
    in_office: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(office: Office, caller: Caller) -> None:
        secret = await office.opened()
        hear = office.data_received

        def once(data: bytes) -> None:
            hear(data)
            secret.pause_reading()

        monkeypatch.setattr(office, "data_received", once)
        caller.writer.write(caller.words(b"last", last=True))
        await office.until(lambda it: it.heard == b"last")
        await asyncio.sleep(0.05)
        assert office.ends_heard == 0
        secret.resume_reading()
        await office.until(lambda it: office.ends_heard == 1)
        secret.abort()

    in_office(story)


def test_a_writer_is_choked_by_a_caller_that_reads_nothing_and_goes_on_when_it_reads(
    in_office: Callable[[Story], None],
) -> None:
    async def story(office: Office, caller: Caller) -> None:
        secret = await office.opened()
        assert secret.get_write_buffer_limits()[1] == 64 * 1024
        cast("asyncio.Transport", caller.writer.transport).pause_reading()
        written = 0
        while not office.is_choked:
            secret.write(b"y" * 10_000)
            written += 10_000
            await asyncio.sleep(0)
        assert 0 < secret.get_write_buffer_size() < 64 * 1024 + 20_000
        cast("asyncio.Transport", caller.writer.transport).resume_reading()
        hearing = asyncio.ensure_future(caller.hear_all())
        await office.until(lambda it: not office.is_choked)
        secret.close()
        assert await hearing == b"y" * written

    in_office(story)


def test_a_deaf_caller_is_gone_soon_after_a_close(in_office: Callable[[Story], None]) -> None:
    async def story(office: Office, caller: Caller) -> None:
        secret = await office.opened()
        cast("asyncio.Transport", caller.writer.transport).pause_reading()
        while not office.is_choked:
            secret.write(b"y" * 10_000)
            await asyncio.sleep(0)
        close_soon(secret, 0.05)
        assert not office.is_lost
        await office.until(lambda it: it.is_lost)

    in_office(story)


def test_octets_that_are_no_tls_end_the_connection_with_the_reason(
    in_office: Callable[[Story], None],
) -> None:
    async def story(office: Office, caller: Caller) -> None:
        await office.opened()
        caller.writer.write(caller.words(b"good") + b"\x17\x03\x03\x00\x20" + b"?" * 32)
        await office.until(lambda it: it.is_lost)
        assert office.heard == b"good"
        assert isinstance(office.fault, ssl.SSLError)
        assert office.ends_heard == 0

    in_office(story)
