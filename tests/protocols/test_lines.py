"""Lines are split from a stream complete, in order and bounded."""

import pytest

from secondpost.protocols.smtp.lines import EndlessLine, LineBuffer


def test_lines_come_whole_and_in_order() -> None:
    lines = LineBuffer(10)
    lines.receive(b"one\r\ntw")
    assert lines.take_line() == b"one\r\n"
    assert lines.take_line() is None
    lines.receive(b"o\nthree")
    assert lines.take_line() == b"two\n"
    assert len(lines) == 5
    assert lines.take_all() == b"three"
    assert len(lines) == 0


def test_a_line_may_be_as_long_as_its_bound_and_no_longer() -> None:
    lines = LineBuffer(4)
    lines.receive(b"ab\r\nabc\nabc")
    assert lines.take_line() == b"ab\r\n"
    assert lines.take_line() == b"abc\n"
    assert lines.take_line() is None
    lines.receive(b"d")
    with pytest.raises(EndlessLine):
        lines.take_line()


def test_what_was_given_back_is_read_again_before_what_comes() -> None:
    lines = LineBuffer(10)
    lines.receive(b"body.rest\r\n")
    taken = lines.take_all()
    lines.give_back(taken[5:])
    lines.receive(b"more\r\n")
    assert lines.take_line() == b"rest\r\n"
    assert lines.take_line() == b"more\r\n"


@pytest.mark.parametrize(
    ("data", "binary"),
    [(b"E", False), (b"\r\n", False), (b"\n", False), (b" ", False), (b"~", False), (b"\x16\x03", True)]
    + [(octet, True) for octet in (b"\0", b"\t", b"\x7f", b"\x80", b"\xff")],
)
def test_no_line_of_text_begins_with_binary(data: bytes, binary: bool) -> None:
    lines = LineBuffer(10)
    lines.receive(data)
    assert lines.begins_binary() == binary
