"""Which names the certificate is ordered for, and how it is proved that they are ours."""

from dataclasses import replace

import pytest

from secondpost.config.records import Web, WebDoor
from secondpost.mail.address import Endpoint
from secondpost.mail.questions import AddressAnswer, Addresses, Finding, NameAnswer, NameQuestion
from secondpost.roles.acme_orders import challenges_of
from secondpost.setup.certificate_names import names_here
from secondpost.world.asking import answer_from
from tests.setup.test_machine import config

HOST, PAGES, POLICY = "mx2.example.net", "news.example.net", "mta-sts.example.net"
OURS, ELSEWHERE = "192.0.2.25", "198.51.100.7"
FAILED = AddressAnswer(Finding.FAILED)


def at(*addresses: str) -> AddressAnswer:
    return AddressAnswer(Finding.FOUND, addresses) if len(addresses) > 0 else AddressAnswer(Finding.NO_NAME)


@pytest.mark.parametrize(
    ("host", "pages", "policy", "covered", "names"),
    [
        (at(OURS), at(OURS), at(OURS), (), (HOST, PAGES, POLICY)),
        (at(OURS), at(ELSEWHERE), at(), (), (HOST,)),  # the others do not block it
        (at(), at(OURS), at(), (), (PAGES,)),
        (at(ELSEWHERE), at(ELSEWHERE), at(OURS), (), (HOST, PAGES, POLICY)),  # behind NAT
        (FAILED, at(OURS), FAILED, (HOST,), (HOST, PAGES)),  # kept while DNS does not answer
        (at(), at(), at(), (HOST, PAGES), ()),
    ],
)
def test_the_names_that_point_here_are_ordered(
    host: AddressAnswer,
    pages: AddressAnswer,
    policy: AddressAnswer,
    covered: tuple[str, ...],
    names: tuple[str, ...],
) -> None:
    world: dict[NameQuestion, NameAnswer] = {
        Addresses(HOST): host,
        Addresses(PAGES): pages,
        Addresses(POLICY): policy,
    }
    assert answer_from(world, names_here((HOST, PAGES, POLICY), (OURS,), covered)) == names


@pytest.mark.parametrize(
    ("ports", "kinds"),
    [
        ((443, 80), ["http-01", "tls-alpn-01"]),
        ((443,), ["tls-alpn-01"]),
        ((80,), ["http-01"]),
        ((8025,), ["http-01", "tls-alpn-01"]),
    ],
)
def test_the_challenges_are_those_whose_port_is_listened_on(ports: tuple[int, ...], kinds: list[str]) -> None:
    doors = tuple(WebDoor(Endpoint("::", port)) for port in ports)
    assert list(challenges_of(replace(config(), web=Web(None, doors)))) == kinds
