"""The deliver role asks web services through the fetch role, at the addresses of the configuration only."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.config.records import Config, Watch, Web
from secondpost.mail.address import Domain
from secondpost.processes.roles import roles_of
from secondpost.protocols.role_questions import Garbled
from secondpost.protocols.service_questions import (
    BODY_OCTETS_MAX,
    AskService,
    ServiceAnswer,
    ServiceRequest,
    ServiceResult,
    ServiceSilent,
    WebService,
    read_request,
    request_line,
    service_result_line,
)
from secondpost.roles.web_services import AT_ONCE_MAX, ServicePlace, WebServices, service_places
from secondpost.world.ports import Fetched, Requester
from secondpost.world.real.fetch import RealFetcher
from secondpost.world.real.net import RealNet
from secondpost.world.sockets.services import ServiceAsker, service_door

from .conftest import Run
from .test_feed_socket import Liar
from .test_fetch import loopback_fetcher, names
from .web_server import WebServer, answer

HERE = Domain("mail.example.net")
CONFIG = Config("/etc/secondpost/config.toml", HERE, "/var/lib/secondpost", (), HERE, Web(None))
ASKED = ServiceRequest(WebService.OSV, "/v1/query?a=b", b'{"package": 1}', 1_000, '"7"', "Mon, 01 Jan 2029")


def services_at(server: WebServer, requester: Requester, **headers: str) -> WebServices:
    place = ServicePlace(f"http://osv.example:{server.port}", headers)
    return WebServices({WebService.OSV: place}, requester)


def osv_fetcher() -> RealFetcher:
    known = names()
    known.known["osv.example"] = ("127.0.0.1",)
    return loopback_fetcher(known)


@asynccontextmanager
async def fetch_role(ask: AskService, path: str) -> AsyncIterator[ServiceAsker]:
    tasks: list[asyncio.Task[None]] = []

    def background(work: Coroutine[None, None, None]) -> None:
        tasks.append(asyncio.get_running_loop().create_task(work))

    net = RealNet()
    door = await service_door(ask, background).open(net, path)
    try:
        yield ServiceAsker(net, path)
    finally:
        door.close()
        await asyncio.gather(*tasks)


def test_a_question_and_its_answer_cross_complete(run: Run[None], tmp_path: Path) -> None:
    async def story() -> None:
        said = answer("200 OK", b'{"ok": true}', etag='"8"', retry_after="30", set_cookie="id=1")
        async with WebServer({"/v1/query?a=b": said}).running() as osv:
            services = services_at(osv, osv_fetcher(), authorization="Key 1")
            async with fetch_role(services.ask, str(tmp_path / "door")) as asker:
                found = await asker.ask(ASKED)
        assert found == ServiceAnswer(200, {"etag": '"8"', "retry-after": "30"}, b'{"ok": true}')
        assert osv.asked[0].startswith("POST /v1/query?a=b ")
        for name, value in (
            ("content-type", "application/json"),
            ("if-none-match", '"7"'),
            ("if-modified-since", "Mon, 01 Jan 2029"),
            ("authorization", "Key 1"),
            ("content-length", "14"),
        ):
            assert osv.header(name) == value

    run(story())


def test_without_a_body_the_path_is_got(run: Run[None]) -> None:
    async def story() -> None:
        async with WebServer({"/v1/vulns/A": answer("200 OK", b"{}")}).running() as osv:
            found = await services_at(osv, osv_fetcher()).ask(ServiceRequest(WebService.OSV, "/v1/vulns/A"))
        assert found == ServiceAnswer(200, {}, b"{}")
        assert osv.asked[0].startswith("GET /v1/vulns/A ")

    run(story())


def test_a_redirect_is_not_followed(run: Run[None]) -> None:
    async def story() -> None:
        pages = {"/a": answer("302 Found", location="/b"), "/b": answer("200 OK", b"elsewhere")}
        async with WebServer(pages).running() as osv:
            found = await services_at(osv, osv_fetcher()).ask(ServiceRequest(WebService.OSV, "/a"))
        assert (found, len(osv.asked)) == (ServiceAnswer(302), 1)

    run(story())


def test_a_private_address_is_refused_as_for_feeds(run: Run[None]) -> None:
    async def story() -> None:
        known = names()
        known.known["osv.example"] = ("127.0.0.1",)
        async with WebServer({}).running() as osv:
            places = {WebService.OSV: ServicePlace(f"https://osv.example:{osv.port}")}
            found = await WebServices(places, RealFetcher(known)).ask(ASKED)
        assert isinstance(found, ServiceSilent)
        assert "no address of the public web" in found.reason
        assert osv.connections == 0

    run(story())


def test_a_service_that_is_not_wanted_is_not_asked(run: Run[None]) -> None:
    async def story() -> None:
        found = await WebServices({}, osv_fetcher()).ask(ASKED)
        assert found == ServiceSilent("the configuration does not want it asked")

    run(story())


def test_an_answer_larger_than_was_wanted_is_none(run: Run[None]) -> None:
    async def story() -> None:
        async with WebServer({"/v1/query?a=b": answer("200 OK", b"x" * 1_001)}).running() as osv:
            found = await services_at(osv, osv_fetcher()).ask(ASKED)
        assert isinstance(found, ServiceSilent)
        assert "at most 1000" in found.reason

    run(story())


def test_only_a_few_are_asked_at_once(run: Run[None]) -> None:
    class Slow:
        now, most = 0, 0

        async def request(
            self, method: str, url: str, headers: object, body: bytes, octets_max: int
        ) -> Fetched:
            self.now += 1
            self.most = max(self.most, self.now)
            await asyncio.sleep(0)
            self.now -= 1
            return Fetched(200, {}, b"")

    async def story() -> None:
        slow = Slow()
        services = WebServices({WebService.OSV: ServicePlace("https://osv.example")}, slow)
        await asyncio.gather(*(services.ask(ASKED) for _ in range(3 * AT_ONCE_MAX)))
        assert slow.most == AT_ONCE_MAX

    run(story())


@pytest.mark.parametrize(
    "path",
    [
        "", "v1", "//evil.example/", "@evil.example/", ":80/", "/../secret", "/v1/..", "/v1/./a",
        "/%2e%2e/secret", "/a\\b", "/a b", "/a\r\nHost: evil.example", "/a#b", "/ä", "/" + "a" * 2_000,
    ],
)  # fmt: skip
def test_a_path_that_could_leave_the_service_is_garbled(path: str) -> None:
    line = request_line(ServiceRequest(WebService.OSV, path))
    with pytest.raises(Garbled):
        read_request(line)


@pytest.mark.parametrize("path", ["/", "/v1/querybatch", "/v1/vulns/GHSA-2h46-8gf5-fmxv", "/a/?x=/../y&z=%2"])
def test_an_ordinary_path_is_taken(path: str) -> None:
    request = ServiceRequest(WebService.OSV, path)
    assert read_request(request_line(request)) == request


def test_the_fetch_role_runs_for_a_service_and_asks_it_at_the_configured_address() -> None:
    assert (roles_of(CONFIG), service_places(CONFIG)) == (("receive", "deliver"), {})
    watching = replace(CONFIG, watch=Watch(advisories=True, advisories_url="https://osv.example"))
    assert roles_of(watching) == ("receive", "deliver", "fetch")
    assert service_places(watching) == {WebService.OSV: ServicePlace("https://osv.example")}


def test_an_unknown_service_is_garbled() -> None:
    with pytest.raises(Garbled):
        read_request(request_line(ASKED).replace(b'"osv"', b'"evil"'))


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"nonsense\n",
        service_result_line(ServiceAnswer(99)),
        service_result_line(ServiceAnswer(200, {}, b"x" * 1_001)),  # more than was wanted
        b'{"answer":"answered","status":200,"headers":{"etag":"a\\r\\nb"},"body":""}\n',
    ],
)
def test_an_answer_that_makes_no_sense_is_none(run: Run[None], tmp_path: Path, said: bytes) -> None:
    async def story() -> None:
        net, path = RealNet(), str(tmp_path / "door")
        door = await net.listen_local(lambda: Liar(said), path)
        found = await ServiceAsker(net, path).ask(ASKED)
        door.close()
        assert isinstance(found, ServiceSilent)
        assert found.reason.startswith("the fetch role's answer makes no sense")

    run(story())


def test_without_a_fetch_role_the_service_is_silent_or_a_command_asks_it(
    run: Run[None], tmp_path: Path
) -> None:
    async def ask(request: ServiceRequest) -> ServiceResult:
        return ServiceAnswer(200)

    async def story() -> None:
        net, path = RealNet(), str(tmp_path / "door")
        assert await ServiceAsker(net, path).ask(ASKED) == ServiceSilent("the fetch role is not there")
        assert await ServiceAsker(net, path, otherwise=ask).ask(ASKED) == ServiceAnswer(200)

    run(story())


def test_the_largest_body_crosses(run: Run[None], tmp_path: Path) -> None:
    body = b"\0" * BODY_OCTETS_MAX

    async def ask(request: ServiceRequest) -> ServiceResult:
        return ServiceAnswer(200, {}, body)

    async def story() -> None:
        async with fetch_role(ask, str(tmp_path / "door")) as asker:
            found = await asker.ask(ServiceRequest(WebService.OSV, "/", None, BODY_OCTETS_MAX))
        assert found == ServiceAnswer(200, {}, body)

    run(story())
