"""Fetching over loopback: the result, the request, and its limits."""

import gzip
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path

import pytest

from secondpost.world.ports import FetchError, Redirect, Validators
from secondpost.world.real.fetch import REDIRECTS_MAX, RealFetcher
from tests.world.certificates import make_pair
from tests.world.test_fetch_addresses import Names
from tests.world.web_server import WebServer, answer

Run = Callable[[Coroutine[object, object, None]], None]


def names() -> Names:
    return Names({"blog.example": ("127.0.0.1",), "other.example": ("127.0.0.1",)})


def loopback_fetcher(known: Names | None = None, seconds: float = 10.0) -> RealFetcher:
    return RealFetcher(names() if known is None else known, allow_private=True, total_seconds=seconds)


def test_a_page_comes_as_it_is_with_the_url_that_answered(run: Run) -> None:
    async def story() -> None:
        async with WebServer({"/feed.xml": answer("200 OK", b"<rss/>", etag='"1"')}).running() as blog:
            url = f"http://blog.example:{blog.port}/feed.xml"
            fetched = await loopback_fetcher().get(url, {"accept": "text/xml"}, 1_000)
        assert (fetched.status, fetched.body, fetched.url) == (200, b"<rss/>", url)
        assert fetched.headers["etag"] == '"1"'
        assert blog.header("host") == f"blog.example:{blog.port}"
        assert str(blog.header("user-agent")).startswith("Secondpost/")
        assert blog.header("accept") == "text/xml"
        assert blog.header("cookie") is None

    run(story())


def test_no_proxy_password_file_or_cookie_of_this_machine_is_used(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine blog.example login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def story() -> None:
        pages = {
            "/a": answer("302 Found", location="/b", set_cookie="id=1"),
            "/b": answer("200 OK", b"here"),
        }
        async with WebServer(pages).running() as blog:
            fetched = await loopback_fetcher().get(f"http://blog.example:{blog.port}/a", {}, 1_000)
        assert fetched.body == b"here"
        assert blog.header("cookie") is None
        assert blog.header("authorization") is None

    run(story())


def test_redirects_are_followed_told_and_counted(run: Run) -> None:
    async def story() -> None:
        pages = {f"/{n}": answer("301 Moved", location=f"/{n + 1}") for n in range(REDIRECTS_MAX + 1)}
        pages[f"/{REDIRECTS_MAX + 1}"] = answer("200 OK", b"end")
        async with WebServer(pages).running() as blog:
            place = f"http://blog.example:{blog.port}"
            fetched = await loopback_fetcher().get(f"{place}/1", {}, 1_000)
            assert fetched.body == b"end"
            assert fetched.redirects[0] == Redirect(301, f"{place}/2")
            assert len(fetched.redirects) == REDIRECTS_MAX
            with pytest.raises(FetchError, match="redirects more than 5 times"):
                await loopback_fetcher().get(f"{place}/0", {}, 1_000)

    run(story())


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "http://[::1", "//user@blog.example/", "gopher://127.0.0.1/", "http://a b/"],
)
def test_a_redirect_to_what_may_not_be_asked_is_refused(location: str, run: Run) -> None:
    async def story() -> None:
        async with WebServer({"/": answer("302 Found", location=location)}).running() as blog:
            with pytest.raises(FetchError):
                await loopback_fetcher().get(f"http://blog.example:{blog.port}/", {}, 1_000)

    run(story())


def test_every_hop_is_resolved_once_and_no_more(run: Run) -> None:
    async def story() -> None:
        known = names()
        async with WebServer({"/b": answer("200 OK")}).running() as other:
            there = f"http://other.example:{other.port}/b"
            async with WebServer({"/a": answer("307 There", location=there)}).running() as blog:
                await loopback_fetcher(known).get(f"http://blog.example:{blog.port}/a", {}, 1_000)
        assert known.asked == ["blog.example", "other.example"]

    run(story())


@pytest.mark.parametrize(
    "page",
    [
        answer("200 OK", b"half", content_length="1000"),
        answer("200 OK", b"?", content_encoding="br"),
        answer("200 OK", content_length="9" * 12),
    ],
    ids=["broken off", "packed", "huge"],
)
def test_a_post_counts_by_its_status_whatever_the_body(page: bytes, run: Run) -> None:
    async def story() -> None:
        async with WebServer({"/hook": page}).running() as hook:
            url = f"http://blog.example:{hook.port}/hook"
            fetched = await loopback_fetcher().post(url, {"content-type": "application/json"}, b"{}")
        assert (fetched.status, fetched.body) == (200, b"")

    run(story())


def test_a_post_goes_nowhere_else(run: Run) -> None:
    async def story() -> None:
        async with WebServer({"/hook": answer("307 There", location="/other")}).running() as hook:
            url = f"http://blog.example:{hook.port}/hook"
            assert (await loopback_fetcher().post(url, {}, b"{}")).status == 307
        assert [head.partition("\r\n")[0] for head in hook.asked] == ["POST /hook HTTP/1.1"]

    run(story())


def test_what_was_meant_for_one_host_is_not_told_to_another(run: Run) -> None:
    async def story() -> None:
        async with WebServer({"/b": answer("200 OK")}).running() as other:
            there = f"http://other.example:{other.port}/b"
            async with WebServer({"/a": answer("302 Found", location=there)}).running() as blog:
                headers = {"authorization": "secret", "accept": "text/xml"}
                await loopback_fetcher().get(f"http://blog.example:{blog.port}/a", headers, 1_000)
        assert blog.header("authorization") == "secret"
        assert other.header("authorization") is None
        assert other.header("accept") == "text/xml"

    run(story())


def test_validators_go_to_the_url_that_gave_them_alone(run: Run) -> None:
    async def story() -> None:
        pages = {"/a": answer("301 Moved", location="/b"), "/b": answer("304 Not Modified")}
        async with WebServer(pages).running() as blog:
            place = f"http://blog.example:{blog.port}"
            validators = Validators(f"{place}/b", '"1"', "Mon, 01 Jan 2029 00:00:00 GMT")
            fetched = await loopback_fetcher().get(f"{place}/a", {}, 1_000, validators)
        assert (fetched.status, fetched.body) == (304, b"")
        assert blog.header("if-none-match", 0) is None
        assert blog.header("if-none-match", 1) == '"1"'
        assert blog.header("if-modified-since", 1) == "Mon, 01 Jan 2029 00:00:00 GMT"

    run(story())


def test_a_packed_page_is_unpacked(run: Run) -> None:
    async def story() -> None:
        packed = gzip.compress(b"words " * 1_000)
        async with WebServer({"/": answer("200 OK", packed, content_encoding="gzip")}).running() as blog:
            fetched = await loopback_fetcher().get(f"http://blog.example:{blog.port}/", {}, 6_000)
        assert fetched.body == b"words " * 1_000
        assert blog.header("accept-encoding") == "gzip"

    run(story())


BAD_BODIES = {
    "more than was allowed": answer("200 OK", b"x" * 1_001),
    "a lie about the length": answer("200 OK", b"short", content_length="500"),
    "says it is huge": answer("200 OK", b"", content_length="9" * 15),
    "pieces without end": answer("200 OK", b"400\r\n" + b"x" * 1_024 + b"\r\n", transfer_encoding="chunked"),
    "torn pieces": answer("200 OK", b"40\r\nabc", transfer_encoding="chunked"),
    "a bomb of gzip": answer("200 OK", gzip.compress(bytes(50_000_000)), content_encoding="gzip"),
    "torn gzip": answer("200 OK", gzip.compress(b"words")[:-3], content_encoding="gzip"),
    "not gzip": answer("200 OK", b"words", content_encoding="gzip"),
    "another packing": answer("200 OK", b"words", content_encoding="br"),
    "two packings": answer("200 OK", b"words", content_encoding="gzip, gzip"),
    "no HTTP": b"220 mail.example ESMTP\r\n",
    "nothing": b"",
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"x: " + b"y" * 200_000,
}


@pytest.mark.parametrize("page", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_a_bad_answer_is_one_error(page: bytes, run: Run) -> None:
    async def story() -> None:
        async with WebServer({"/": page}).running() as blog:
            with pytest.raises(FetchError) as error:
                await loopback_fetcher().get(f"http://blog.example:{blog.port}/", {}, 1_000)
            assert str(error.value).isprintable()

    run(story())


def test_silence_ends_by_itself(run: Run) -> None:
    async def story() -> None:
        async with WebServer({"/": None}).running() as blog:
            with pytest.raises(FetchError, match=r"not there within 0\.1 seconds"):
                await loopback_fetcher(seconds=0.1).get(f"http://blog.example:{blog.port}/", {}, 1_000)

    run(story())


def test_a_closed_door_is_one_error(run: Run) -> None:
    async def story() -> None:
        async with WebServer({}).running() as blog:
            port = blog.port
        with pytest.raises(FetchError, match="cannot connect"):
            await loopback_fetcher().get(f"http://blog.example:{port}/", {}, 1_000)

    run(story())


def test_the_next_address_is_tried_when_one_does_not_answer(run: Run) -> None:
    async def story() -> None:
        async with WebServer({"/": answer("200 OK", b"here")}).running() as blog:
            known = Names({"blog.example": ("127.0.0.2", "127.0.0.1")})
            fetched = await loopback_fetcher(known).get(f"http://blog.example:{blog.port}/", {}, 1_000)
        assert fetched.body == b"here"

    run(story())


def test_a_certificate_is_checked_for_the_name_not_the_address(run: Run, tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "blog.example")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pair.certificate, pair.key)

    async def story() -> None:
        fetcher = RealFetcher(names(), allow_private=True, authorities_path=pair.certificate)
        async with WebServer({"/": answer("200 OK", b"safe")}).running(tls) as blog:
            fetched = await fetcher.get(f"https://blog.example:{blog.port}/", {}, 1_000)
            assert fetched.body == b"safe"
            with pytest.raises(FetchError):
                await fetcher.get(f"https://other.example:{blog.port}/", {}, 1_000)
            with pytest.raises(FetchError):
                await loopback_fetcher().get(f"https://blog.example:{blog.port}/", {}, 1_000)

    run(story())


def test_a_redirect_from_https_to_http_is_refused(run: Run, tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "blog.example")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pair.certificate, pair.key)

    async def story() -> None:
        fetcher = RealFetcher(names(), allow_private=True, authorities_path=pair.certificate)
        pages = {"/": answer("301 Moved", location="http://blog.example/")}
        async with WebServer(pages).running(tls) as blog:
            with pytest.raises(FetchError, match="from https to http:"):
                await fetcher.get(f"https://blog.example:{blog.port}/", {}, 1_000)

    run(story())
