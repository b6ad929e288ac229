"""Forms and client addresses: input is bounded."""

from contextlib import suppress
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.requests import Request

from secondpost.policy.rate import PrefixRate
from secondpost.web.callers import Rate, caller_of
from secondpost.web.form import FIELDS_MAX, parse_form
from secondpost.web.origin import is_from_elsewhere
from tests.clock import SetClock


def test_the_first_value_of_a_field_counts() -> None:
    assert parse_form(b"email=a%40example.org&email=b&x=&y=%C3%A9") == {
        "email": "a@example.org",
        "x": "",
        "y": "é",
    }


@pytest.mark.parametrize("data", [b"email=%FF", b"\xff", b"&".join([b"a=1"] * (FIELDS_MAX + 1))])
def test_what_is_no_form_is_refused(data: bytes) -> None:
    with pytest.raises(HTTPException):
        parse_form(data)


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(data: bytes) -> None:
    with suppress(HTTPException):
        assert all(isinstance(value, str) for value in parse_form(data).values())


def request_from(address: str | None, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in forwarded]
    client = None if address is None else (address, 1)
    return Request({"type": "http", "headers": headers, "client": client})


@pytest.mark.parametrize(
    ("address", "forwarded", "caller"),
    [
        ("192.0.2.1", (), "192.0.2.1"),
        ("192.0.2.1", ("198.51.100.1",), "192.0.2.1"),
        ("127.0.0.1", ("198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("203.0.113.9, 198.51.100.1",), "198.51.100.1"),
        ("127.0.0.1", ("203.0.113.9", "198.51.100.1, 10.1.1.1"), "198.51.100.1"),
        ("127.0.0.1", ("nonsense",), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.1, nonsense",), "127.0.0.1"),
        ("127.0.0.1", ("198.51.100.1, ::ffff:10.0.0.1",), "198.51.100.1"),
        ("127.0.0.1", (), "127.0.0.1"),
        ("::ffff:127.0.0.1", ("2001:db8::1",), "2001:db8::1"),
        (None, ("198.51.100.1",), "198.51.100.1"),
        (None, (), ""),
    ],
)
def test_only_a_trusted_proxy_is_believed(
    address: str | None, forwarded: tuple[str, ...], caller: str
) -> None:
    trusted = (ip_network("127.0.0.1"), ip_network("10.0.0.0/8"))
    assert caller_of(request_from(address, *forwarded), trusted) == caller


def test_a_network_has_so_many_in_a_span() -> None:
    clock = SetClock()
    rate = Rate(clock, PrefixRate(times_max=2, span_ms=1_000))
    assert [rate.allows("192.0.2.1"), rate.allows("192.0.2.200"), rate.allows("192.0.2.3")] == [
        True,
        True,
        False,
    ]
    assert rate.allows("198.51.100.1")
    clock.ms += 1_000
    assert rate.allows("192.0.2.1")
    clock.ms -= 500_000
    assert rate.allows("192.0.2.1")


@pytest.mark.parametrize(
    ("origin", "configured"),
    [
        ("https://mx2.example.net", "https://mx2.example.net:443"),
        ("https://mx2.example.net:443", "https://mx2.example.net"),
        ("http://mx2.example.net", "http://mx2.example.net:80/"),
        ("https://mx2.example.net:8443", "https://mx2.example.net:8443"),
    ],
)
def test_a_default_port_makes_no_other_site(origin: str, configured: str) -> None:
    assert not is_from_elsewhere(posted_from(origin), configured)


def test_a_client_that_names_the_default_port_in_its_host_is_near() -> None:
    near = Request(
        {"type": "http", "headers": [(b"host", b"a.example:443"), (b"origin", b"https://a.example:443")]}
    )
    assert not is_from_elsewhere(near, None)


@pytest.mark.parametrize("origin", ["https://mx2.example.net:8443", "https://mx2.example.net:80"])
def test_another_port_is_another_site(origin: str) -> None:
    assert is_from_elsewhere(posted_from(origin), "https://mx2.example.net:443")


def posted_from(origin: str) -> Request:
    """A form that reaches us under a name that only our proxy knows."""
    return Request({"type": "http", "headers": [(b"host", b"127.0.0.1:8025"), (b"origin", origin.encode())]})
