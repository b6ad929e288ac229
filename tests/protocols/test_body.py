"""The fast body code agrees with the slow and obvious one, for any input and any split."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.protocols.smtp.body import DotReader, DotWriter, LineEnds, ReceivedCounter
from secondpost.protocols.smtp.server_body import TOO_LARGE, IncomingBody
from tests.protocols.reference import plain_body, with_crlf

PIECES = st.lists(
    st.sampled_from([b"\r", b"\n", b".", b"\r\n", b"\r\n.", b"\r\n.\r\n", b"\0", b"a", b"\xff", b"line\r\n"]),
    max_size=24,
)


def cuts(data: bytes, places: list[int]) -> list[bytes]:
    borders = sorted({place % (len(data) + 1) for place in places})
    return [data[a:b] for a, b in zip([0, *borders], [*borders, len(data)], strict=True)]


PLACES = st.lists(st.integers(min_value=0, max_value=200), max_size=6)


def read(data: list[bytes]) -> tuple[bytes, bytes] | None:
    reader = DotReader()
    content = b""
    for number, piece in enumerate(data):
        got, after = reader.content(piece)
        content += got
        if after is not None:
            return content, after + b"".join(data[number + 1 :])
    return None


def every_cut(data: bytes) -> list[list[bytes]]:
    in_two = [[data[:at], data[at:]] for at in range(1, len(data))]
    return [[data], [data[at : at + 1] for at in range(len(data))], *in_two]


@pytest.mark.parametrize("octets", range(1, 7))
def test_every_short_body_at_every_cut(octets: int) -> None:
    """All combinations of CR, LF, a dot and another octet; finds the end, converts line ends."""
    for letters in product(b"\r\n.a", repeat=octets):
        raw = bytes(letters)
        end, text = plain_body(raw + b"\r\n.\r\n"), with_crlf(raw)
        for pieces in every_cut(raw):
            assert read([*pieces, b"\r\n.\r\n"]) == end
            line_ends = LineEnds()
            made = b"".join(line_ends.normalized(piece) for piece in pieces) + line_ends.rest()
            assert (made, line_ends.bare) == text


@given(PIECES, PLACES)
def test_the_end_and_the_dots_are_where_the_rfc_says(pieces: list[bytes], places: list[int]) -> None:
    raw = b"".join(pieces)
    assert read(cuts(raw, places)) == plain_body(raw)


@given(PIECES, PLACES, st.integers(min_value=0, max_value=6))
def test_a_body_given_up_on_ends_where_it_would_have(
    pieces: list[bytes], places: list[int], refused_before: int
) -> None:
    raw = b"".join(pieces)
    body = IncomingBody(10_000, refuse_bare_newlines=False)
    ended = None
    data = cuts(raw, places)
    for number, piece in enumerate(data):
        if number == refused_before:
            body.refuse(TOO_LARGE)
        _, after = body.read(piece)
        if after is not None:
            ended = after + b"".join(data[number + 1 :])
            break
    expected = plain_body(raw)
    assert ended == (None if expected is None else expected[1])


@given(PIECES, PLACES)
def test_every_line_end_becomes_crlf(pieces: list[bytes], places: list[int]) -> None:
    raw = b"".join(pieces)
    line_ends = LineEnds()
    text = b"".join(line_ends.normalized(piece) for piece in cuts(raw, places)) + line_ends.rest()
    assert (text, line_ends.bare) == with_crlf(raw)


@given(PIECES, PLACES)
def test_what_is_written_reads_back(pieces: list[bytes], places: list[int]) -> None:
    raw = b"".join(pieces)
    writer = DotWriter()
    wire = b"".join(writer.stuffed(piece) for piece in cuts(raw, places)) + writer.end()
    content, _ = with_crlf(raw)
    if len(content) > 0 and not content.endswith(b"\r\n"):
        content += b"\r\n"
    assert plain_body(wire) == (content, b"")
    assert wire.count(b"\r\n") == wire.count(b"\r") == wire.count(b"\n")


@given(
    st.lists(st.sampled_from([b"Received: x\r\n", b"received:\r\n", b"X-Received: y\r\n", b" folded\r\n"])),
    st.booleans(),
    PLACES,
)
def test_received_fields_are_counted(fields: list[bytes], header_ends: bool, places: list[int]) -> None:
    text = b"".join(fields) + (b"\r\nReceived: body\r\n" if header_ends else b"")
    counter = ReceivedCounter()
    for piece in cuts(text, places):
        counter.read(piece)
    assert counter.count == sum(field.lower().startswith(b"received:") for field in fields)


@pytest.mark.parametrize(
    "pattern", [b"\r", b"\n", b".", b"x\r\n.", b"\r\r\n", b"\r\n.\r", b"\r\n.\rx", b"\r\n"]
)
def test_hostile_bodies_take_linear_time(pattern: bytes) -> None:
    """A megabyte of each in small pieces; quadratic code would not finish."""
    reader, line_ends, counter = DotReader(), LineEnds(), ReceivedCounter()
    megabyte = (pattern * (1_000_000 // len(pattern) + 1))[:1_000_000]
    for at in range(0, len(megabyte), 1000):
        content, after = reader.content(megabyte[at : at + 1000])
        assert after is None
        counter.read(line_ends.normalized(content))
    assert len(line_ends.normalized(megabyte + b"x")) > 0
