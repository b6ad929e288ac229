"""What follows from what is seen of a machine."""

from dataclasses import replace

import pytest

from secondpost.mail.address import Endpoint
from secondpost.setup.surroundings import PortHolder, Surroundings

BARE = Surroundings(
    "mx2", frozenset({"127.0.0.1", "::1", "192.168.1.5", "fe80::1", "fd00::2", "5.9.8.7", "2a01:4f8::1"})
)


def test_public_and_private_addresses() -> None:
    assert BARE.public_addresses == ("5.9.8.7", "2a01:4f8::1")
    assert BARE.private_addresses == ("192.168.1.5", "fd00::2")


@pytest.mark.parametrize(
    ("resolver", "is_own"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("127.0.0.53", False),
        ("192.0.2.1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_a_resolver_of_its_own(resolver: str, is_own: bool) -> None:
    assert replace(BARE, resolvers=(Endpoint(resolver, 53),)).has_own_resolver is is_own


def test_the_web_server_that_has_the_port_comes_before_one_that_runs() -> None:
    holds = replace(BARE, port_holders=(PortHolder(Endpoint("0.0.0.0", 443), "nginx"),))
    assert replace(holds, programs=frozenset({"apache2", "nginx"})).web_server == "nginx"
    assert replace(BARE, programs=frozenset({"caddy"})).web_server == "caddy"
    assert BARE.web_server is None


def test_our_own_program_holds_no_port_from_us() -> None:
    held = (PortHolder(Endpoint("::", 25), "secondpost"), PortHolder(Endpoint("127.0.0.1", 25), "exim4"))
    assert replace(BARE, port_holders=held).holders(25) == ["exim4"]
