"""A client's first message, as real clients write it, whole, in pieces and broken."""

import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.protocols.client_hello import (
    HELLO_OCTETS_MAX,
    NOTHING_OFFERED,
    RECORDS_MAX,
    ClientHello,
    looks_like_tls,
    read_client_hello,
)


def hello(name: str | None, protocols: list[str] | None = None) -> bytes:
    """What OpenSSL sends first."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    if protocols is not None:
        context.set_alpn_protocols(protocols)
    outgoing = ssl.MemoryBIO()
    client = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


MX = hello("mx2.example.net", ["acme-tls/1"])
MX_OFFERED = ClientHello("mx2.example.net", (b"acme-tls/1",))


@pytest.mark.parametrize(
    ("octets", "offered"),
    [
        (MX, MX_OFFERED),
        (hello("mx2.example.net"), ClientHello("mx2.example.net")),
        (hello(None, ["h2", "http/1.1"]), ClientHello("", (b"h2", b"http/1.1"))),
        (hello(None), NOTHING_OFFERED),
    ],
)
def test_name_and_protocols_are_read_as_soon_as_the_message_is_complete(
    octets: bytes, offered: ClientHello
) -> None:
    assert read_client_hello(octets) == offered
    assert read_client_hello(octets + b"early data") == offered
    for cut in range(len(octets)):
        assert read_client_hello(octets[:cut]) is None


def in_records(message: bytes, octets_each: int) -> bytes:
    pieces = [message[start : start + octets_each] for start in range(0, len(message), octets_each)]
    return b"".join(b"\x16\x03\x01" + len(piece).to_bytes(2) + piece for piece in pieces)


def test_a_message_may_be_spread_over_records_up_to_a_bound() -> None:
    message = MX[5:]
    assert read_client_hello(in_records(message, len(message) // (RECORDS_MAX - 1))) == MX_OFFERED
    assert read_client_hello(in_records(message, 1)) == NOTHING_OFFERED
    other = in_records(message, 100)[:105] + b"\x17\x03\x01\x00\x01x"
    assert read_client_hello(other) == NOTHING_OFFERED


def test_what_is_no_hello_offers_nothing_and_a_client_that_never_ends_is_not_waited_for() -> None:
    assert read_client_hello(b"GET / HTTP/1.1\r\n") == NOTHING_OFFERED
    assert read_client_hello(b"\x16\x03\x01\x00\x04\x02\x00\x00\x00") == NOTHING_OFFERED  # a ServerHello
    endless = b"\x16\x03\x01\xff\xff\x01\xff\xff\xff" + b"x" * HELLO_OCTETS_MAX
    assert read_client_hello(endless) == NOTHING_OFFERED
    assert read_client_hello(endless[:HELLO_OCTETS_MAX]) is None


def test_http_and_smtp_are_not_taken_for_tls() -> None:
    assert not looks_like_tls(b"GET / HTTP/1.1\r\n")
    assert not looks_like_tls(b"EHLO x\r\n")
    assert looks_like_tls(b"")
    assert looks_like_tls(MX)


@given(st.integers(0, len(MX) - 1), st.integers(0, 255))
def test_a_damaged_message_is_read_without_an_error(at: int, octet: int) -> None:
    found = read_client_hello(MX[:at] + bytes([octet]) + MX[at + 1 :])
    assert found is None or isinstance(found, ClientHello)


@given(st.binary(max_size=300))
def test_any_octets_are_read_without_an_error(octets: bytes) -> None:
    read_client_hello(b"\x16\x03\x01\x01\x2c" + octets)
    read_client_hello(b"\x16\x03\x01\x01\x2c\x01\x00\x01\x28" + octets)
