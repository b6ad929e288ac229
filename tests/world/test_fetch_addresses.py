"""Private addresses in all notations are refused before any connection."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

import pytest

from secondpost.mail.address import Domain
from secondpost.mail.questions import AddressAnswer, Finding, MxAnswer, TxtAnswer
from secondpost.world.ports import FetchError
from secondpost.world.real.fetch import RealFetcher
from secondpost.world.real.fetch_addresses import UrlRefused, checked_url, is_public
from tests.world.web_server import WebServer, answer

Run = Callable[[Coroutine[object, object, None]], None]


@dataclass
class Names:
    """A resolver from a dict; other names do not exist."""

    known: dict[str, tuple[str, ...]]
    asked: list[str] = field(default_factory=list)

    async def mx(self, domain: Domain) -> MxAnswer:
        return MxAnswer(Finding.NO_DATA)

    async def addresses(self, host: str) -> AddressAnswer:
        self.asked.append(host)
        found = self.known.get(host, ())
        return AddressAnswer(Finding.FOUND, found) if len(found) > 0 else AddressAnswer(Finding.NO_NAME)

    async def txt(self, name: str) -> TxtAnswer:
        return TxtAnswer(Finding.NO_DATA)


INSIDE = {
    "loopback.example": ("127.0.0.1",),
    "six.example": ("::1",),
    "mapped.example": ("::ffff:127.0.0.1",),
    "mapped-public.example": ("::ffff:9.9.9.9",),
    "private.example": ("10.0.0.1",),
    "mixed.example": ("9.9.9.9", "127.0.0.1"),
    "metadata.example": ("169.254.169.254",),
    "nat64.example": ("64:ff9b::7f00:1",),
    "six-to-four.example": ("2002:7f00:1::",),
    "link.example": ("fe80::1",),
    "unique-local.example": ("fd00::1",),
    "nowhere.example": ("0.0.0.0",),
    "multicast.example": ("224.0.0.1",),
}

HOSTILE = (
    "http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/feed.xml#a",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://[::ffff:7f00:1]:{port}/",
    "http://[64:ff9b::127.0.0.1]:{port}/",
    "http://[::127.0.0.1]:{port}/",
    "http://[fe80::1%25lo]:{port}/",
    "http://[::]:{port}/",
    "http://0.0.0.0:{port}/",
    "http://0:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f000001:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://127.0.0.1.:{port}/",
    "http://localhost:{port}/",
    "http://LOCALHOST.:{port}/",
    "http://loopback.example:{port}/",
    "http://six.example:{port}/",
    "http://mapped.example:{port}/",
    "http://mapped-public.example:{port}/",
    "http://private.example:{port}/",
    "http://mixed.example:{port}/",
    "http://metadata.example/latest/meta-data/",
    "http://169.254.169.254/latest/meta-data/",
    "http://nat64.example/",
    "http://six-to-four.example/",
    "http://link.example/",
    "http://unique-local.example/",
    "http://nowhere.example:{port}/",
    "http://multicast.example/",
    "http://no-such-name.example/",
    "http://me:secret@127.0.0.1:{port}/",
    "http://blog.example@127.0.0.1:{port}/",
    "http://127.0.0.1:{port}\\@blog.example/",
    "http://blog.example:25/",
    "http://blog.example:22/",
    "http://blog.example:0/",
    "http://blog.example:99999/",
    "http://blog.example:port/",
    "http:///feed.xml",
    "http://./",
    "http://",
    "//blog.example/feed.xml",
    "blog.example/feed.xml",
    "",
    "file:///etc/passwd",
    "FILE:///etc/passwd",
    "ftp://blog.example/feed.xml",
    "gopher://127.0.0.1:{port}/_HELO",
    "data:text/xml,<rss/>",
    "unix:///run/a.socket",
    "javascript:alert(1)",
    "http://blog.example/\r\nX-Smuggled: yes",
    "http://blog.example/ HTTP/1.1",
    "http://blog.example\x00.other.example/",
    "http://[::1",
    "http://" + "a" * 3_000 + ".example/",
)


@pytest.mark.parametrize("url", HOSTILE)
def test_what_leads_inside_or_nowhere_is_refused_before_a_connection(url: str, run: Run) -> None:
    async def story() -> None:
        async with WebServer({"/": answer("200 OK", b"inside")}).running() as inside:
            fetcher = RealFetcher(Names(INSIDE))
            with pytest.raises(FetchError) as refused:
                await fetcher.get(url.replace("{port}", str(inside.port)), {}, 1_000)
            assert inside.connections == 0
            text = str(refused.value)
            assert text.isprintable()
            assert "secret" not in text

    run(story())


PUBLIC = ("9.9.9.9", "1.1.1.1", "172.15.0.1", "172.32.0.1", "2620:fe::fe", "2a00:1450::1", "64:ff9b::909:909")


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_web_is_open(address: str) -> None:
    assert is_public(address)


CLOSED = (
    "0.1.2.3 10.1.2.3 100.64.0.1 100.127.255.255 127.255.255.255 169.254.1.1 172.16.0.1 172.31.255.255 "
    "192.0.0.8 192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 "
    "224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::ffff:9.9.9.9 64:ff9b::10.0.0.1 "
    "64:ff9b:1::1 100::1 2001::1 2001:2::1 2001:db8::1 2002::1 3fff::1 fc00::1 fe80::1 fe80::1%eth0 "
    "fec0::1 ff02::1 nonsense 127.1"
)


@pytest.mark.parametrize("address", CLOSED.split())
def test_what_is_not_the_public_web_is_closed(address: str) -> None:
    assert not is_public(address)


def test_a_url_for_tests_may_have_any_port_but_never_a_user_name() -> None:
    assert checked_url("http://127.0.0.1:25/", allow_private=True).port == 25
    with pytest.raises(UrlRefused):
        checked_url("http://me@127.0.0.1/", allow_private=True)
