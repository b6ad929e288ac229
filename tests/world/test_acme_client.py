"""An authority that lies, stalls, leads elsewhere or sends too much gets no more than a refused order."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from secondpost.config.records import AcmeChallenge
from secondpost.mail.own_certificate import ALPN_ANSWERS, HTTP_ANSWERS
from secondpost.protocols.certificate_questions import (
    REASON_CHARACTERS_MAX,
    CertificateNotIssued,
    CertificateOrder,
    CertificateResult,
    read_result,
    result_line,
)
from secondpost.world.ports import Fetched, FetchError
from secondpost.world.real.acme_client import AcmeAccount, AcmeClient, retry_seconds
from secondpost.world.real.acme_network import REQUESTS_MAX, AcmeRequests
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.own_certificate import OwnCertificateFiles
from secondpost.world.room_disk import make_rooms

HOST = "mx2.example.net"
BASE = "https://ca.example"
DIRECTORY = {
    name: f"{BASE}/{name}" for name in ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange")
}
CHALLENGE = {"type": "http-01", "url": f"{BASE}/challenge", "token": "A" * 43, "status": "pending"}
AUTHORIZATION = {
    "identifier": {"type": "dns", "value": HOST},
    "status": "pending",
    "challenges": [CHALLENGE],
}
FAILED = {**AUTHORIZATION, "status": "invalid"}  # so that an order that goes on so far ends there
ORDER = {
    "status": "pending",
    "identifiers": [{"type": "dns", "value": HOST}],
    "authorizations": [f"{BASE}/authorization"],
    "finalize": f"{BASE}/finalize",
}
Said = object | Fetched | Exception


@dataclass
class Authority:
    """Answers by the path of a URL; what is not changed is as it should be."""

    changed: Mapping[str, Said] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, octets_max: int
    ) -> Fetched:
        self.asked.append(f"{method} {url}")
        path = url.removeprefix(BASE)
        usual: dict[str, Said] = {
            "/directory": DIRECTORY,
            "/newNonce": Fetched(200, nonce(), b""),
            "/newAccount": Fetched(201, {**nonce(), "location": f"{BASE}/account"}, b'{"status": "valid"}'),
            "/newOrder": Fetched(201, {**nonce(), "location": f"{BASE}/order"}, json.dumps(ORDER).encode()),
            "/authorization": AUTHORIZATION if self._is_first(url) else FAILED,
            "/challenge": Fetched(
                200,
                {**nonce(), "link": f'<{BASE}/authorization>;rel="up"'},
                json.dumps(CHALLENGE).encode(),
            ),
        }
        said = {**usual, **self.changed}.get(path, Fetched(404, nonce(), b""))
        if isinstance(said, Exception):
            raise said
        if isinstance(said, Fetched):
            return said
        return Fetched(200, {**nonce(), "content-type": "application/json"}, json.dumps(said).encode())

    def _is_first(self, url: str) -> bool:
        return sum(one.endswith(url) for one in self.asked) == 1


def nonce() -> dict[str, str]:
    return {"replay-nonce": "AAAA"}


@pytest.fixture
def store(tmp_path: Path) -> Path:
    make_rooms(RealDisk(str(tmp_path)))
    return tmp_path


def ordered(
    store: Path, authority: Authority, meanwhile: Callable[[AcmeRequests], None] = lambda requests: None
) -> CertificateResult:
    """One order, as the deliver role hears of it."""
    files = OwnCertificateFiles(str(store))
    files.make_next_key()
    order = CertificateOrder(files.request((HOST,), for_next=True))
    account = AcmeAccount(f"{BASE}/directory", "me@example.net", tuple(AcmeChallenge), frozenset({HOST}))

    async def story() -> CertificateResult:
        requests = AcmeRequests(authority, authority, account.directory)
        client = AcmeClient(str(store), account, requests)
        working = asyncio.get_running_loop().run_in_executor(None, client.obtain, order)
        meanwhile(requests)
        return await working

    return read_result(result_line(asyncio.run(story())))


PROBLEM = {"type": "urn:ietf:params:acme:error:rateLimited", "detail": "too many\ncertificates"}


@pytest.mark.parametrize(
    "changed",
    [
        {"/directory": []},
        {"/directory": "x"},
        {"/directory": {}},
        {"/directory": {**DIRECTORY, "newNonce": 7}},
        {"/directory": Fetched(200, nonce(), b"[" * 100_000)},
        {"/directory": Fetched(302, {"location": "https://elsewhere.example/"}, b"")},
        {"/directory": Fetched(200, {}, b"\xff\xfe")},
        {"/newNonce": Fetched(200, {"replay-nonce": "=*="}, b"")},
        {"/newNonce": Fetched(200, {}, b"")},
        {"/newAccount": Fetched(200, nonce(), b"{}")},
        {"/newAccount": Fetched(200, {**nonce(), "location": f"{BASE}/account"}, b"[]")},
        {"/newOrder": Fetched(201, nonce(), b'{"status": "strange"}')},
        {"/newOrder": Fetched(201, nonce(), json.dumps({**ORDER, "authorizations": [{}]}).encode())},
        {"/newOrder": Fetched(201, nonce(), json.dumps({**ORDER, "authorizations": "all"}).encode())},
        {"/authorization": {**AUTHORIZATION, "identifier": {"type": "dns", "value": "../../x"}}},
        {"/authorization": {**AUTHORIZATION, "challenges": [{**CHALLENGE, "token": "../../account.pem"}]}},
        {"/authorization": {**AUTHORIZATION, "challenges": [{"type": "dns-01"}]}},
        {"/authorization": {**AUTHORIZATION, "challenges": None}},
        {"/challenge": Fetched(200, nonce(), b"{}")},
        {"/challenge": FetchError("it has more than 262144 octets")},
    ],
    ids=lambda changed: next(iter(changed)).strip("/"),
)
def test_whatever_it_says_the_order_is_refused_and_no_answer_stays(
    store: Path, changed: Mapping[str, Said]
) -> None:
    result = ordered(store, Authority(changed))
    assert isinstance(result, CertificateNotIssued)
    assert len(result.reason) > 0
    assert [path for name in (HTTP_ANSWERS, ALPN_ANSWERS) for path in (store / name).glob("*")] == []
    assert sorted(path.name for path in (store / "acme").iterdir() if path.is_file()) == ["account.pem"]


def test_its_words_and_its_time_to_wait_are_passed_on(store: Path) -> None:
    refused = Fetched(
        429, {**nonce(), "retry-after": "3600"}, json.dumps({**PROBLEM, "subproblems": [
            {"type": "urn:x", "detail": "of this name", "identifier": {"type": "dns", "value": HOST}}
        ]}).encode()
    )  # fmt: skip
    result = ordered(store, Authority({"/newOrder": refused}))
    assert result == CertificateNotIssued(f"too many certificates; {HOST}: of this name", 3600)


def test_a_long_story_is_cut(store: Path) -> None:
    refused = Fetched(403, nonce(), json.dumps({**PROBLEM, "detail": "x" * 100_000}).encode())
    result = ordered(store, Authority({"/newOrder": refused}))
    assert isinstance(result, CertificateNotIssued)
    assert len(result.reason) == REASON_CHARACTERS_MAX


def test_it_cannot_have_requests_made_without_end(store: Path) -> None:
    hurry = {**nonce(), "content-type": "application/json", "retry-after": "0"}
    authority = Authority({"/authorization": Fetched(200, hurry, json.dumps(AUTHORIZATION).encode())})
    result = ordered(store, authority)
    assert isinstance(result, CertificateNotIssued)
    assert str(REQUESTS_MAX) in result.reason
    assert len(authority.asked) == REQUESTS_MAX


def test_nonces_that_are_always_refused_end_the_order(store: Path) -> None:
    bad = Fetched(400, nonce(), b'{"type": "urn:ietf:params:acme:error:badNonce", "detail": "no"}')
    authority = Authority({"/newOrder": bad})
    assert ordered(store, authority) == CertificateNotIssued("no")
    assert 2 < authority.asked.count(f"POST {BASE}/newOrder") < 30


def test_nothing_is_sent_unencrypted(store: Path) -> None:
    authority = Authority({"/directory": {**DIRECTORY, "newOrder": "http://ca.example/newOrder"}})
    result = ordered(store, authority)
    assert isinstance(result, CertificateNotIssued)
    assert "not encrypted" in result.reason
    assert [asked for asked in authority.asked if "http:" in asked] == []


def test_an_order_ends_at_once_when_the_role_does(store: Path) -> None:
    """The authority asks to be asked again in half a minute; the role does not wait for that."""
    slow = {**nonce(), "content-type": "application/json", "retry-after": "30"}
    authority = Authority({"/authorization": Fetched(200, slow, json.dumps(AUTHORIZATION).encode())})

    def stop_soon(requests: AcmeRequests) -> None:
        asyncio.get_running_loop().call_later(0.2, requests.stop)

    assert ordered(store, authority, stop_soon) == CertificateNotIssued("the fetch role ends")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("120", 120), (" 5 ", 5), ("", None), ("-1", None), ("9" * 30, None), ("soon", None),
     ("Fri, 01 Jan 2016 00:00:00 GMT", 0)],
)  # fmt: skip
def test_the_time_to_wait_is_seconds_or_a_date(written: str, seconds: int | None) -> None:
    assert retry_seconds(written) == seconds
