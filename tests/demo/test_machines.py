"""The demo's machines behave like the real ones; otherwise its claims would prove nothing."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import dns.rcode
import pytest

from secondpost.demo import stage
from secondpost.demo.configuration import CONFIG
from secondpost.demo.evidence import DIRECT, THROUGH_US, Added, FalseClaim, added_to, check
from secondpost.demo.letters import AWKWARD, Letter, letter
from secondpost.demo.mailserver import Arrived, MailServer
from secondpost.demo.names import Asker, Zone, serve_names
from secondpost.demo.networks import Network
from secondpost.demo.senders import SendingServer, Try
from secondpost.demo.stage import free_port

FIRST, SECOND = "mx1.example", "mx2.example"
ZONE = Zone(
    mx={"example.net": ((20, SECOND), (10, FIRST))},
    hosts={FIRST: "127.0.0.10", SECOND: "127.0.0.20"},
)


class World:
    """Two mail servers, one sender behind a border, and its tries."""

    def __init__(self, first: MailServer, second: MailServer, network: Network, names: Asker) -> None:
        self.first, self.second, self.network = first, second, network
        self.tries: list[Try] = []
        self.sender = SendingServer(
            "post.west.example",
            "127.1.0.25",
            network,
            names,
            first.port,
            self._tried,
            ("west.example",),
        )

    def _tried(self, _server: SendingServer, _letter: Letter, one: Try) -> None:
        self.tries.append(one)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    port = free_port(("127.0.0.10", "127.0.0.20"))
    first, second = MailServer(FIRST, "127.0.0.10", port), MailServer(SECOND, "127.0.0.20", port)
    names, names_port = await serve_names(ZONE, "127.0.0.53")
    network = Network("West", "127.1.0.1")
    try:
        await first.switch_on()
        await second.switch_on()
        yield World(first, second, network, Asker("127.0.0.53", names_port))
    finally:
        names.close()
        await network.end()
        await first.switch_off()
        await second.switch_off()


def in_world(play: Callable[[World], Awaitable[None]]) -> None:
    async def playing() -> None:
        async with world() as made, asyncio.timeout(20):
            await play(made)

    asyncio.run(playing())


@pytest.mark.parametrize("number", range(len(AWKWARD)))
def test_a_letter_arrives_at_the_best_host_byte_for_byte(number: int) -> None:
    one = letter(number, "a@west.example", "ada@example.net", "Hello")

    async def play(world: World) -> None:
        journey = await world.sender.post(one)
        assert journey.taken_by == FIRST
        assert [(found.data, found.peer) for found in world.first.mailbox] == [(one.data, "127.1.0.25")]
        assert added_to(one, world.first.mailbox[0], SECOND) == DIRECT

    in_world(play)


def test_behind_a_closed_border_there_is_silence_and_the_next_host_takes_it() -> None:
    one = letter(1, "a@west.example", "ada@example.net", "Hello")

    async def play(world: World) -> None:
        path = world.network.path_to(world.first.host, world.first.port)
        path.close_border()
        journey = await world.sender.post(one)
        assert [(each.host, each.taken) for each in world.tries] == [(FIRST, False), (SECOND, True)]
        assert world.tries[0].said == "silence"
        assert (journey.taken_by, path.swallowed, len(world.first.mailbox)) == (SECOND, 1, 0)
        again = await world.sender.post(letter(2, "a@west.example", "ada@example.net", "Hello again"))
        assert [each.host for each in again.tries] == [SECOND]  # it remembers the silent host

    in_world(play)


def test_a_sender_whom_nobody_answers_comes_again() -> None:
    one = letter(1, "a@west.example", "ada@example.net", "Hello")

    async def play(world: World) -> None:
        await world.first.switch_off()
        await world.second.switch_off()
        posting = asyncio.create_task(world.sender.post(one))
        while len(world.tries) < 2:
            await asyncio.sleep(0.01)
        await world.first.switch_on()
        journey = await posting
        assert journey.taken_by == FIRST
        assert [each.taken for each in journey.tries[:2]] == [False, False]

    in_world(play)


def test_the_tiny_dns_tells_a_name_without_data_from_one_that_does_not_exist() -> None:
    def code(name: str, kind: str) -> tuple[dns.rcode.Rcode, int]:
        response = ZONE.answer(dns.message.make_query(name, kind))
        return response.rcode(), len(response.answer)

    assert code("example.net", "MX") == (dns.rcode.NOERROR, 1)
    assert code("MX1.example", "A") == (dns.rcode.NOERROR, 1)
    assert code("mx1.example", "AAAA") == (dns.rcode.NOERROR, 0)
    assert code("example.org", "MX") == (dns.rcode.NXDOMAIN, 0)


RECEIVED = (
    b"Received: from a (b [192.0.2.1])\r\n by mx2.example with ESMTP id 0\r\n for <a@example.net>; x\r\n"
)
RESULTS = b"Authentication-Results: mx2.example;\r\n spf=pass smtp.mailfrom=a.example;\r\n dkim=none\r\n"


@pytest.mark.parametrize(
    ("before", "added"),
    [
        (b"", DIRECT),
        (RECEIVED + RESULTS, THROUGH_US),
        (RECEIVED + RECEIVED, Added(2, by_us=True, results=0, others=b"")),
        (RECEIVED.replace(b"mx2.", b"mx3."), Added(1, by_us=False, results=0, others=b"")),
        (RECEIVED + b"X-Spam: no\r\n", Added(1, by_us=True, results=0, others=b"X-Spam: no\r\n")),
    ],
)
def test_what_was_added_to_a_letter_is_seen(before: bytes, added: Added) -> None:
    one = letter(1, "a@west.example", "ada@example.net", "Hello")
    assert added_to(one, Arrived("", "", (), before + one.data, 0.0), SECOND) == added


def test_a_changed_letter_is_seen() -> None:
    one = letter(2, "a@west.example", "ada@example.net", "Hello")
    changed = one.data.replace(b"line   \r\n", b"line\r\n")
    assert changed != one.data
    assert added_to(one, Arrived("", "", (), RECEIVED + changed, 0.0), SECOND) is None


def test_a_false_claim_says_what_was_expected() -> None:
    with pytest.raises(FalseClaim, match=r"(?s)it rains.*expected: 1.*found: *2"):
        check("it rains", 1, 2)


def test_mail_to_the_owner_can_be_delivered() -> None:
    """An alarm that comes while the story is played must not be left waiting in its queue."""
    domain = re.search(r'^owner += \["[^"@]+@([^"]+)"\]$', CONFIG, re.MULTILINE)
    assert domain is not None
    assert domain[1] in stage.ZONE.mx
