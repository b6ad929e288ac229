"""Our stub resolver queries a real Unbound, which queries an authoritative server of the test."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import dns.message
import dns.rcode
import pytest
import uvloop

from bench import peers
from bench.ready import free_port
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.questions import AddressAnswer, Finding, MxAnswer, MxRecord
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.dns_message import UDP_OCTETS
from tests.world.name_server import NameServer, Zone, refusal, truncated

SECONDS_MAX: Final = 30.0
MANY: Final = 60  # MX records: too many for 1232 octets
LINES: Final = (
    "example.net. 300 IN MX 20 mx2.example.net.",
    "example.net. 300 IN MX 10 mx1.example.net.",
    "mx1.example.net. 300 IN A 192.0.2.1",
    "mx1.example.net. 300 IN AAAA 2001:db8::1",
    "alias.example.net. 300 IN CNAME mx1.example.net.",
    "null.example.net. 300 IN MX 0 .",
    *(
        f"many.example.net. 300 IN MX {n} a-rather-long-host-name-{n}.sub{n}.example.net."
        for n in range(MANY)
    ),
)
CONFIGURATION: Final = """
server:
  interface: 127.0.0.1@{port}
  port: {port}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  pidfile: ""
  directory: "{folder}"
  module-config: "iterator"
  do-not-query-localhost: no
  qname-minimisation: no
  num-threads: 1
stub-zone:
  name: "example.net"
  stub-addr: 127.0.0.1@{authority}
remote-control:
  control-enable: no
"""


def unbound() -> peers.Peer:
    for root in (peers.PEERS / "unbound", Path("/")):
        if (root / "usr/sbin/unbound").exists():
            return peers.Peer(root)
    raise peers.PeerMissing("unbound is missing: apt-get install unbound")


def respond(query: dns.message.Message, is_tcp: bool) -> list[bytes]:
    if str(query.question[0].name) == "broken.example.net.":
        return [refusal(query, dns.rcode.SERVFAIL)]
    wire = Zone(LINES).answer(query).to_wire(max_size=65535)
    return [wire if is_tcp or len(wire) <= UDP_OCTETS else truncated(query)]


@asynccontextmanager
async def behind_unbound(folder: Path) -> AsyncIterator[RealResolver]:
    authority = await NameServer.lying(respond)
    port = free_port()
    configuration = folder / "unbound.conf"
    configuration.write_text(
        CONFIGURATION.format(port=port, folder=folder, authority=authority.endpoint.port)
    )
    peer = unbound()
    log = folder / "unbound.log"
    with log.open("wb") as told:
        process = subprocess.Popen(
            [peer.file("usr/sbin/unbound"), "-c", configuration], env=peer.environment, stderr=told
        )
    resolver = RealResolver([Endpoint("127.0.0.1", port)], RealDice(), has_ipv6=lambda: True)
    try:
        await answers(resolver, process, log)
        yield resolver
    finally:
        process.terminate()
        process.wait(10)
        resolver.close()
        authority.close()


async def answers(resolver: RealResolver, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until Unbound answers. Each try uses a new name, since failures are cached."""
    for attempt in range(200):
        answer = await resolver.mx(Domain(f"try{attempt}.example.net"))
        if answer.finding is not Finding.FAILED:
            return
        assert process.poll() is None, log.read_text()
        await asyncio.sleep(0.05)
    raise AssertionError(log.read_text())


Check = Callable[[RealResolver], Awaitable[None]]


def check_behind_unbound(folder: Path, check: Check) -> None:
    async def day() -> None:
        async with asyncio.timeout(SECONDS_MAX), behind_unbound(folder) as resolver:
            await check(resolver)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(day())


@pytest.mark.parametrize(
    ("domain", "answer"),
    [
        (
            "example.net",
            MxAnswer(Finding.FOUND, (MxRecord(10, "mx1.example.net"), MxRecord(20, "mx2.example.net"))),
        ),
        ("null.example.net", MxAnswer(Finding.FOUND, (MxRecord(0, "."),))),
        ("mx1.example.net", MxAnswer(Finding.NO_DATA)),
        ("absent.example.net", MxAnswer(Finding.NO_NAME)),
        ("broken.example.net", MxAnswer(Finding.FAILED)),
    ],
)
def test_mail_hosts_are_found_through_a_real_resolver(place: Path, domain: str, answer: MxAnswer) -> None:
    async def check(resolver: RealResolver) -> None:
        assert await resolver.mx(Domain(domain)) == answer

    check_behind_unbound(place, check)


def test_addresses_are_found_behind_an_alias(place: Path) -> None:
    async def check(resolver: RealResolver) -> None:
        expected = AddressAnswer(Finding.FOUND, ("2001:db8::1", "192.0.2.1"))
        assert await resolver.addresses("mx1.example.net") == expected
        assert await resolver.addresses("alias.example.net") == expected
        assert await resolver.addresses("example.net") == AddressAnswer(Finding.NO_DATA)

    check_behind_unbound(place, check)


def test_what_does_not_fit_a_datagram_comes_over_tcp(place: Path) -> None:
    async def check(resolver: RealResolver) -> None:
        answer = await resolver.mx(Domain("many.example.net"))
        assert [record.preference for record in answer.records] == list(range(MANY))

    check_behind_unbound(place, check)
