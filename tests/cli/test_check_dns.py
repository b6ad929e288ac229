"""`check dns` against a name server on loopback: with the records it names, all is right."""

import asyncio
import json
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import dns.message
import pytest

from secondpost.config.records import Dkim
from secondpost.world.real.dice import RealDice
from secondpost.world.real.keys import make_missing_keys
from tests.cli.newspaper import Newspaper
from tests.world.name_server import NameServer, Zone

THREAD_SECONDS_MAX = 10.0


class Dns:
    """A name server; `lines` are its current records."""

    def __init__(self) -> None:
        self.lines: Sequence[str] = ()

    def respond(self, query: dns.message.Message, _is_tcp: bool) -> list[bytes]:
        return [Zone(self.lines).answer(query).to_wire()]

    @contextmanager
    def running(self) -> Iterator[int]:
        """Serve; yields the port."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        try:
            opened = asyncio.run_coroutine_threadsafe(NameServer.lying(self.respond), loop)
            server = opened.result(THREAD_SECONDS_MAX)
            yield server.endpoint.port
            loop.call_soon_threadsafe(server.close)
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join(THREAD_SECONDS_MAX)
            loop.close()


@pytest.fixture
def names(paper: Newspaper) -> Iterator[Dns]:
    """The name server used by the newspaper's commands."""
    shown = Dns()
    with shown.running() as port, paper.config.open("a") as config:
        config.write(f'[dns]\nservers = ["127.0.0.1:{port}"]\n')
        config.flush()
        yield shown


def test_before_there_are_keys_it_says_who_makes_them(paper: Newspaper, names: Dns) -> None:
    assert "the service makes missing keys when it starts" in paper.run("check", "dns", code=4).stderr


def test_what_it_says_to_put_there_is_right_once_it_is_there(paper: Newspaper, names: Dns) -> None:
    make_missing_keys(str(paper.folder / "store"), Dkim(), RealDice())
    missing = paper.run("check", "dns", code=1).stdout
    records = json.loads(paper.run("check", "dns", "--json", code=1).stdout)["records"]
    assert {record["state"] for record in records} == {"missing"}
    zone = re.findall(r"^  in a zone file: (.*)$", missing, re.MULTILINE)
    assert len(zone) == len(records)
    assert all(len(text) <= 255 for line in zone for text in re.findall(r'"([^"]*)"', line))
    names.lines = [re.sub(r"^(\S+)  ", r"\1 300 IN ", line) for line in zone]
    shown = paper.run("check", "dns").stdout
    assert shown.count("right: ") == len(records)
    assert "put there" not in shown


def test_a_record_that_says_something_else_is_shown_beside_what_it_should_be(
    paper: Newspaper, names: Dns
) -> None:
    make_missing_keys(str(paper.folder / "store"), Dkim(), RealDice())
    names.lines = ['sp-ed._domainkey.example.net. 300 IN TXT "v=DKIM1; k=ed25519; p=AAAA"']
    shown = paper.run("check", "dns", code=1).stdout
    assert "wrong: sp-ed._domainkey.example.net TXT" in shown
    assert "  found:     v=DKIM1; k=ed25519; p=AAAA" in shown
