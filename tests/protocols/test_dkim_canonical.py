"""Canonical forms: the examples of RFC 6376 §3.4.5, and comparison with dkimpy."""

from hypothesis import given
from hypothesis import strategies as some

from secondpost.protocols.dkim.canonical import (
    relaxed_body,
    relaxed_field,
    relaxed_lines,
    simple_body,
    split_message,
)
from tests.protocols import dkimpy_says

EXAMPLE = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n"
LINES = some.lists(some.text(alphabet=" \t.ab", max_size=8), max_size=8).map(
    lambda lines: "".join(f"{line}\r\n" for line in lines).encode()
)


def test_the_example_of_the_rfc() -> None:
    fields, body = split_message(EXAMPLE)
    assert [relaxed_field(field.raw) for field in fields] == [b"a:X\r\n", b"b:Y Z\r\n"]
    assert [field.raw for field in fields] == [b"A: X\r\n", b"B : Y\t\r\n\tZ  \r\n"]
    assert relaxed_body(body) == b" C\r\nD E\r\n"
    assert simple_body(body) == b" C \r\nD \t E\r\n"


def test_an_empty_body() -> None:
    """RFC 6376 §3.4.3 and §3.4.4: an empty body becomes CRLF, or nothing."""
    assert simple_body(b"") == simple_body(b"\r\n\r\n") == b"\r\n"
    assert relaxed_body(b"") == relaxed_body(b" \r\n\t\r\n") == b""


def test_a_body_without_a_last_line_end_gets_one() -> None:
    assert relaxed_body(b"a \t") == b"a\r\n"
    assert simple_body(b"a ") == b"a \r\n"


@given(LINES)
def test_bodies_as_dkimpy_sees_them(body: bytes) -> None:
    assert relaxed_body(body) == dkimpy_says.relaxed_body(body)
    assert simple_body(body) == dkimpy_says.simple_body(body)


@given(some.lists(some.text(alphabet=" \t:ab", max_size=8), min_size=1, max_size=4))
def test_fields_as_dkimpy_sees_them(lines: list[str]) -> None:
    value = "\r\n ".join(lines).encode()
    assert relaxed_field(b"Name:" + value + b"\r\n") == dkimpy_says.relaxed_field(b"Name", value + b"\r\n")


@given(LINES, LINES)
def test_whole_lines_can_be_canonicalised_apart(one: bytes, other: bytes) -> None:
    assert relaxed_lines(one) + relaxed_lines(other) == relaxed_lines(one + other)


@given(some.binary(max_size=200))
def test_any_bytes_are_taken_apart(message: bytes) -> None:
    fields, body = split_message(message)
    assert all(b":" in field.raw and field.raw.endswith(b"\r\n") for field in fields)
    assert message.endswith(body)


def test_long_runs_cost_no_more_than_their_length() -> None:
    """Each of these takes minutes if a pattern is tried at every position."""
    assert relaxed_body(b" " * 2_000_000 + b"x") == b" x\r\n"
    assert relaxed_body(b"\r\n" * 1_000_000 + b"x").endswith(b"\r\nx\r\n")
    assert simple_body(b"x" + b"\r\n" * 1_000_000) == b"x\r\n"
