"""Exported held mail is identical to the received mail, however it was split."""

import asyncio
import mailbox
import os
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.owner.export import EmlFolder, MboxFile, MboxQuoting, mbox_pieces, mbox_start

LINES = st.sampled_from(
    [
        b"",
        b"From here",
        b">From there",
        b">>From >From ",
        b"Fromage",
        b" From",
        b"From",
        b".",
        b"text",
        b"\xff\x00",
    ]
)


def quoted(pieces: list[bytes]) -> bytes:
    quoting = MboxQuoting()
    return b"".join([*(quoting.feed(piece) for piece in pieces), quoting.finish()])


def unquoted(mbox: bytes) -> bytes:
    """Read mboxrd back: remove one `>` and the separating empty line, restore CRLF."""
    assert mbox.endswith(b"\n\n") or mbox == b"\n"
    return re.sub(rb"(?m)^>(>*From )", rb"\1", mbox[:-1]).replace(b"\n", b"\r\n")


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted(cut % (len(data) + 1) for cut in cuts)
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True)]


@given(lines=st.lists(LINES, min_size=1), cuts=st.lists(st.integers(0, 10_000), max_size=12))
def test_quoting_can_be_undone_however_the_content_is_cut(lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(line + b"\r\n" for line in lines)
    assert unquoted(quoted(pieces_of(data, cuts))) == data


@given(lines=st.lists(LINES), cuts=st.lists(st.integers(0, 10_000), max_size=12))
def test_no_line_of_a_message_looks_like_the_start_of_the_next(lines: list[bytes], cuts: list[int]) -> None:
    data = b"\r\n".join(lines)
    assert re.search(rb"(?m)^From ", quoted(pieces_of(data, cuts))) is None


def test_a_message_without_a_last_newline_gets_one() -> None:
    assert quoted([b"one\r\ntwo"]) == b"one\ntwo\n\n"
    assert quoted([b"one\r\n"]) == b"one\n\n"


def test_a_line_without_end_does_not_pile_up_in_memory() -> None:
    quoting = MboxQuoting()
    out = sum(len(quoting.feed(b"x" * 50_000)) for _ in range(100))
    assert out > 4_900_000
    assert len(quoting.rest) < 100_000
    out += len(quoting.feed(b"\r\nFrom x\r\n")) + len(quoting.finish())
    assert out == 5_000_000 + len(b"\n>From x\n\n")


def test_the_start_of_a_message_is_one_line_whatever_the_sender() -> None:
    assert mbox_start("a@example.org", 1_786_696_440_000) == b"From a@example.org Fri Aug 14 08:34:00 2026\n"
    assert mbox_start("", 0) == b"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n"
    assert mbox_start('"a b"@ex.org', 0).startswith(b'From "a_b"@ex.org Thu')


def messages() -> Iterator[tuple[QueueId, bytes]]:
    yield QueueId(1), b"Subject: one\r\n\r\nFrom me\r\n\r\nto you\r\n"
    yield QueueId(2), b"Subject: two\r\n\r\nno newline at the end"


async def content(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def test_the_mbox_is_read_by_another_program(tmp_path: Path) -> None:
    path = tmp_path / "held.mbox"
    with open(path, "wb") as out:
        export = MboxFile(out)
        for id, data in messages():
            asyncio.run(export.add(id, "a@example.org", 0, content(data)))
        export.close()
    box = mailbox.mbox(path, create=False)
    try:
        first, second = list(box)
        assert (first["Subject"], second["Subject"]) == ("one", "two")
        assert first.get_payload() == ">From me\n\nto you\n"
    finally:
        box.close()
    assert (export.messages, export.octets) == (2, path.stat().st_size)


def test_each_eml_is_the_message_byte_for_byte(tmp_path: Path) -> None:
    export = EmlFolder(os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY))
    for id, data in messages():
        asyncio.run(export.add(id, "a@example.org", 0, content(data[:5], data[5:])))
    export.close()
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found == {f"{queue_id_text(id)}.eml": data for id, data in messages()}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_pieces_of_an_empty_message() -> None:
    async def pieces() -> bytes:
        return b"".join([piece async for piece in mbox_pieces("", 0, content())])

    assert asyncio.run(pieces()).endswith(b"1970\n\n")
