"""What is asked besides DNS: the policy as senders fetch it, and the machine's own certificate."""

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from secondpost.config.records import Tls
from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import StsPolicyAnswer
from secondpost.roles.zones import facts_of_machine, policies_from
from secondpost.setup.facts import authority_of
from secondpost.world.ports import Fetched, FetchError, Redirect, Validators
from secondpost.world.real.certificate_key import certificate_key
from tests.setup.test_wanted import config
from tests.world.certificates import make_pair

URL = "https://mta-sts.example.net/.well-known/mta-sts.txt"
TEXT = "version: STSv1\nmode: none\nmax_age: 1\n"
PLAIN = {"content-type": "text/plain; charset=utf-8"}
RIGHT = Fetched(200, PLAIN, TEXT.encode(), URL)


@dataclass
class Pages:
    """A Fetcher with one page."""

    page: Fetched | FetchError

    async def get(
        self, url: str, headers: Mapping[str, str], octets_max: int, validators: Validators | None = None
    ) -> Fetched:
        assert (url, octets_max) == (URL, 65_536)
        if isinstance(self.page, FetchError):
            raise self.page
        return self.page


def policy(page: Fetched | FetchError) -> StsPolicyAnswer:
    async def read() -> StsPolicyAnswer:
        return await policies_from(Pages(page))(Domain("example.net"))

    return asyncio.run(read())


def test_a_policy_is_fetched() -> None:
    assert policy(RIGHT) == StsPolicyAnswer(TEXT)


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (FetchError("the certificate is for another name"), "the certificate is for another name"),
        (replace(RIGHT, status=404), f"{URL} answers 404"),
        (replace(RIGHT, headers={"content-type": "text/html"}), f"{URL} is text/html, not text/plain"),
        (replace(RIGHT, headers={}), f"{URL} is of no named type, not text/plain"),
        (
            replace(RIGHT, url="https://x.example/", redirects=(Redirect(301, "https://x.example/"),)),
            f"{URL} redirects to https://x.example/, where no sender follows",
        ),
    ],
)
def test_what_a_sender_would_not_accept_is_a_problem(page: Fetched | FetchError, problem: str) -> None:
    assert policy(page) == StsPolicyAnswer(problem=problem)


def test_the_key_of_the_certificate_is_what_tlsa_names(tmp_path: Path) -> None:
    pair = make_pair(tmp_path, "mx2.example.net")
    public = load_pem_private_key(Path(pair.key).read_bytes(), None).public_key()
    octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with_tls = replace(config(), addresses=("192.0.2.25",), tls=Tls(None, pair.certificate, pair.key))
    facts = facts_of_machine(with_tls)
    assert facts.tls_key == hashlib.sha256(octets).hexdigest()
    assert facts.addresses == ("192.0.2.25",)


def test_an_authority_without_an_organization_is_called_by_its_own_name(tmp_path: Path) -> None:
    key = certificate_key(make_pair(tmp_path, "ca.example").certificate)
    assert key is not None
    assert key.issuer == "ca.example"


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_certificate_that_cannot_be_read_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "certificate.pem"
    if content is not None:
        path.write_bytes(content)
    assert certificate_key(str(path)) is None
    unreadable = replace(config(), tls=Tls(None, str(path), str(path)))
    assert facts_of_machine(unreadable).tls_key is None


def test_an_authority_is_known_by_its_name_in_caa() -> None:
    assert authority_of("Let's Encrypt") == "letsencrypt.org"
    assert authority_of("Unknown Authority") == ""
