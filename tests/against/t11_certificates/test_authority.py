"""The client of ACME orders from a real Pebble in strict mode, which refuses nonces, checks every name anew
and answers with delays: by both kinds of challenge, and refusals keep its words.
"""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from secondpost.config.reading import parse_config
from secondpost.config.records import AcmeChallenge, Config
from secondpost.mail.own_certificate import ALPN_ANSWERS, HTTP_ANSWERS
from secondpost.protocols.certificate_questions import (
    CertificateIssued,
    CertificateNotIssued,
    CertificateOrder,
    CertificateResult,
)
from secondpost.roles.acme_orders import AcmeOrders
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.fetch import RealFetcher
from secondpost.world.real.own_certificate import OwnCertificateFiles
from secondpost.world.real.work import RealWork
from secondpost.world.room_disk import make_rooms
from tests.against.t08_records.name_servers import Knot
from tests.against.t11_certificates.pebble import KEY, KEY_ID, Pebble, pebble
from tests.against.t11_certificates.responder import answering

NET = "example.net"
HOST, PAGES, POLICY = "mx2.example.net", "news.example.net", "mta-sts.example.net"
ZONE = """\
example.net. 1 IN SOA ns1.example.net. hostmaster.example.net. 1 3600 600 86400 0
example.net. 1 IN NS ns1.example.net.
ns1.example.net. 1 IN A {address}
mx2.example.net. 1 IN A 127.0.0.1
news.example.net. 1 IN A 127.0.0.1
mta-sts.example.net. 1 IN A 127.0.0.1
"""
CONFIG = """\
version = 3
hostname = "mx2.example.net"
owner = ["me@elsewhere.example"]
store = "{store}"
[web]
url = "https://news.example.net"
[tls]
acme = "me@example.net"
[acme]
directory = "{directory}"
root = "{root}"
{more}
[[backup]]
domain = "example.net"
recipients = ["learn"]
[[newsletter]]
name = "weekly"
from = "The Blog <newsletter@example.net>"
feeds = ["https://www.example.net/feed.xml"]
"""
# Nonces are refused every other time, every name is checked anew, and each check takes up to a second.
HARD = {"PEBBLE_WFE_NONCEREJECT": "50", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_VA_SLEEPTIME": "1"}
FAST = {"PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_VA_NOSLEEP": "1"}


@dataclass(frozen=True, slots=True)
class Scene:
    place: Path
    authority: Pebble
    knot: Knot

    @property
    def store(self) -> Path:
        return self.place / "store"

    def config(self, more: str = "") -> Config:
        text = CONFIG.format(
            store=self.store, directory=self.authority.directory, root=self.authority.root, more=more
        )
        return parse_config(text.encode(), str(self.place / "secondpost.toml"))

    def ordered(self, *names: str, more: str = "", attempt: int = 0, key: str = "") -> CertificateResult:
        """One order, with a key made for the first."""
        files = OwnCertificateFiles(str(self.store))
        if files.read().next_digest is None:
            files.make_next_key()
        request = files.request(names, for_next=True)
        return asyncio.run(self._obtained(CertificateOrder(request, attempt), self.config(more), key))

    async def _obtained(self, order: CertificateOrder, config: Config, key: str) -> CertificateResult:
        work, resolver = RealWork(), RealResolver((), RealDice())
        fetcher = RealFetcher(resolver, allow_private=True, authorities_path=config.acme.root)
        try:
            return await AcmeOrders(config, key, work, fetcher, fetcher).obtain(order)
        finally:
            resolver.close()
            work.close()

    def installed(self, result: CertificateResult, *names: str) -> None:
        """The chain is one for our key and names."""
        assert isinstance(result, CertificateIssued), (result, self.authority.log()[-3000:])
        files = OwnCertificateFiles(str(self.store))
        made = files.install(result.chain, names, for_next=True)
        assert set(names) <= set(made.names)
        assert made.digest == files.read().next_digest

    def answers(self) -> list[Path]:
        return [path for name in (HTTP_ANSWERS, ALPN_ANSWERS) for path in (self.store / name).glob("*")]


@contextmanager
def scene(
    place: Path, settings: dict[str, str], *, answers: bool = True, needs_account: bool = False
) -> Iterator[Scene]:
    (place / "store").mkdir()
    make_rooms(RealDisk(str(place / "store")))
    with ExitStack() as ends:
        knot = ends.enter_context(Knot.prepared(place, {NET: ZONE}, is_signed=False).running())
        authority = ends.enter_context(
            pebble(place / "pebble", f"{knot.address}:53", settings, needs_account=needs_account)
        )
        if answers:
            ends.enter_context(answering(place / "store", authority.http_port, authority.tls_port))
        yield Scene(place, authority, knot)


@pytest.mark.parametrize("kind", AcmeChallenge)
def test_a_certificate_is_issued_by_either_challenge_from_an_authority_in_a_bad_mood(
    place: Path, kind: AcmeChallenge
) -> None:
    with scene(place, HARD) as it:
        for _ in range(2):  # the second time, with the account of the first
            result = it.ordered(HOST, PAGES, POLICY, more=f'challenge = "{kind}"')
            it.installed(result, HOST, PAGES, POLICY)
        assert it.answers() == []


def test_a_refusal_keeps_the_words_of_the_authority_and_names_the_host(place: Path) -> None:
    with scene(place, FAST, answers=False) as it:
        result = it.ordered(HOST)
        assert isinstance(result, CertificateNotIssued)
        assert result.host == HOST
        assert "127.0.0.1" in result.reason
        assert "connection refused" in result.reason
        assert it.answers() == []


def test_the_other_challenge_is_tried_after_a_failure(place: Path) -> None:
    with scene(place, FAST, answers=False) as it:
        reasons = [it.ordered(HOST, attempt=attempt) for attempt in (0, 1)]
        texts = [result.reason for result in reasons if isinstance(result, CertificateNotIssued)]
        assert str(it.authority.http_port) in texts[0]
        assert str(it.authority.tls_port) in texts[1]


def test_a_name_that_is_not_ours_is_not_ordered(place: Path) -> None:
    with scene(place, FAST) as it:
        result = it.ordered(HOST, "www.example.net")
        assert result == CertificateNotIssued("a name in the request is not one of this server's")


def test_an_account_given_beforehand_is_bound_to_ours(place: Path) -> None:
    with scene(place, FAST, needs_account=True) as it:
        refused = it.ordered(HOST)
        assert isinstance(refused, CertificateNotIssued)
        assert "key_id" in refused.reason
        secret = it.place / "key"
        secret.write_text(KEY)
        more = f'key_id = "{KEY_ID}"\nkey_file = "{secret}"'
        it.installed(it.ordered(HOST, more=more, key=KEY), HOST)
