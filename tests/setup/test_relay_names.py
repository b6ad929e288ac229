"""By which name and addresses a primary has to enter this server."""

import asyncio
from dataclasses import dataclass

from secondpost.config.reading import parse_config
from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.questions import AddressAnswer, Finding, MxAnswer, TxtAnswer
from secondpost.roles.relay_names import relay_names
from secondpost.world.real.interfaces import interface_addresses


@dataclass
class Names:
    """A resolver that is a dict."""

    hosts: dict[str, tuple[str, ...]]

    async def mx(self, domain: Domain) -> MxAnswer:
        return MxAnswer(Finding.FAILED)

    async def addresses(self, host: str) -> AddressAnswer:
        found = self.hosts.get(host, ())
        return AddressAnswer(Finding.FOUND if len(found) > 0 else Finding.NO_NAME, found)

    async def txt(self, name: str) -> TxtAnswer:
        return TxtAnswer(Finding.FAILED)


def config(addresses: str = "[]") -> Config:
    text = f"""\
version = 3
hostname = "mx2.example.net"
store = "/var/lib/secondpost"
owner = ["me@elsewhere.example"]
addresses = {addresses}
[web]
url = "none"
[[backup]]
domain = "example.net"
"""
    return parse_config(text.encode(), "secondpost.toml")


def test_addresses_come_from_the_file_and_from_dns_ipv4_first() -> None:
    names = Names({"mx2.example.net": ("2001:db8::5", "192.0.2.5")})
    found = asyncio.run(relay_names(config('["192.0.2.77"]'), names))
    assert found.relay.name == "mx2.example.net"
    assert found.relay.addresses == ("192.0.2.5", "192.0.2.77", "2001:db8::5")
    assert found.us.addresses >= {"192.0.2.5", "192.0.2.77", "2001:db8::5"}
    assert found.us.is_name("mx2.example.net")


def test_without_them_those_of_the_machine_are_shown_but_never_loopback() -> None:
    found = asyncio.run(relay_names(config(), Names({})))
    shown = {one for one in interface_addresses() if not one.startswith(("127.", "::1", "fe80:"))}
    assert set(found.relay.addresses) == shown
