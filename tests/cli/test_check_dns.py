"""`check dns` against a name server on loopback: with the records that it names, all is well."""

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
    with shown.running() as port:
        addressed = paper.config.read_text().replace("[web]", 'addresses = ["192.0.2.25"]\n[web]', 1)
        paper.config.write_text(f'{addressed}[dns]\nservers = ["127.0.0.1:{port}"]\n')
        yield shown


def test_before_there_are_keys_it_says_who_makes_them(paper: Newspaper, names: Dns) -> None:
    assert "the service makes missing keys when it starts" in paper.run("check", "dns", code=4).stderr


def remedies(paper: Newspaper, code: int) -> list[str]:
    """All lines of zone files that mend what is missing, notes left out."""
    found = json.loads(paper.run("check", "dns", "--json", code=code).stdout)["diagnoses"]
    lines = [
        line for it in found if it["grade"] in ("fault", "warning") for line in it["remedy"].splitlines()
    ]
    return [line for line in dict.fromkeys(lines) if re.match(r"\S+\. 3600 IN \S+ ", line)]


def publish_all(paper: Newspaper, names: Dns) -> None:
    make_missing_keys(str(paper.folder / "store"), Dkim(), RealDice())
    reverse = "25.2.0.192.in-addr.arpa. 300 IN PTR mx2.example.net."
    names.lines = [reverse]
    while len(lines := remedies(paper, 1 if len(names.lines) == 1 else 0)) > 0:  # the address comes first
        assert all(len(text) <= 255 for line in lines for text in re.findall(r'"([^"]*)"', line))
        names.lines = [*names.lines, *(re.sub(r"^(\S+) 3600 IN ", r"\1 300 IN ", line) for line in lines)]
        assert len(names.lines) < 20, names.lines


def test_what_it_says_to_put_there_is_right_once_it_is_there(paper: Newspaper, names: Dns) -> None:
    publish_all(paper, names)
    shown = paper.run("check", "dns", "--verbose").stdout
    assert "mx2.example.net is 192.0.2.25, this machine. (host-address)" in shown
    assert "fault" not in shown.replace("no faults", "")
    assert "warning" not in shown


def test_a_key_that_is_another_is_a_fault_with_the_right_one(paper: Newspaper, names: Dns) -> None:
    make_missing_keys(str(paper.folder / "store"), Dkim(), RealDice())
    names.lines = ['sp-rsa._domainkey.example.net. 300 IN TXT "v=DKIM1; k=rsa; p=AAAA"']
    shown = paper.run("check", "dns", code=1).stdout
    text = "fault: sp-rsa._domainkey.example.net has another key than the one that this server signs with."
    assert f"{text} (dkim-key)" in shown
    assert "  do:  sp-rsa._domainkey.example.net. 3600 IN TXT " in shown


def rules(paper: Newspaper, code: int) -> dict[str, tuple[str, str]]:
    """State and remedy by rule."""
    document = json.loads(paper.run("check", "dns", "--json", code=code).stdout)
    return {one["rule"]: (one["state"], one["remedy"]) for one in document["bulk_rules"]}


def test_the_rules_for_bulk_mail_are_judged_by_what_is_there(paper: Newspaper, names: Dns) -> None:
    make_missing_keys(str(paper.folder / "store"), Dkim(), RealDice())
    found = rules(paper, 1)
    assert found["spf-and-dkim"] == ("not kept", 'mx2.example.net. 3600 IN TXT "v=spf1 a -all"')
    assert found["dmarc"] == ("not kept", '_dmarc.example.net. 3600 IN TXT "v=DMARC1; p=none"')
    assert found["reverse-name"][0] == "not kept"
    publish_all(paper, names)
    states = {rule: state for rule, (state, _) in rules(paper, 0).items()}
    assert states == {
        "spf-and-dkim": "kept",
        "dmarc": "kept",
        "reverse-name": "kept",
        "tls": "not seen",  # this name server knows no mailboxes elsewhere
        "one-click": "not kept",  # url = "none": readers leave by mail
        "unsubscribe-link": "kept",
        "complaints": "not seen",  # nothing was sent yet
        "from": "kept",
        "format": "kept",
        "volume": "not seen",
    }
    shown = paper.run("check", "dns").stdout
    assert "SPF and DKIM pass                         Google, Yahoo, Microsoft  kept" in shown
    assert "one-click: Readers leave by mail alone" in shown
    assert '  do:  url = "https://…" in [web]' in shown


def test_without_a_newsletter_there_is_no_table(paper: Newspaper, names: Dns) -> None:
    make_missing_keys(str(paper.folder / "store"), Dkim(), RealDice())
    text = paper.config.read_text()
    paper.config.write_text(f"{text[: text.index('[[newsletter]]')]}{text[text.index('[dns]') :]}")
    assert rules(paper, 1) == {}


def test_a_store_that_cannot_be_read_takes_only_its_figures_away(paper: Newspaper, names: Dns) -> None:
    make_missing_keys(str(paper.folder / "store"), Dkim(), RealDice())
    for name in ("mail", "newsletter"):
        (paper.folder / "store" / name).mkdir(exist_ok=True)
        (paper.folder / "store" / name / f"{name}.db").write_bytes(b"no database" * 1_000)
    document = json.loads(paper.run("check", "dns", "--json", code=1).stdout)
    found = {one["rule"]: one for one in document["bulk_rules"]}
    assert found["complaints"]["text"].startswith("The store was not looked at: ")
    assert found["format"]["state"] == "kept"
