"""The running service with a certificate in its store: HTTPS and STARTTLS, and a new one under load."""

import smtplib
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from socket import create_connection
from threading import Event, Thread

import pytest

from secondpost.mail.own_certificate import ALPN_PROTOCOL, SERVER_PEM, alpn_answer, http_answer
from tests.cli.test_check_dns import Dns
from tests.crash.postoffice import PostOffice, free_port
from tests.service.test_hard_times import until
from tests.world.certificates import make_pair

HOST = "mx2.example.net"
CLIENTS = 24
SWAPS = 3
NEWSLETTER = """
[[newsletter]]
name  = "weekly"
from  = "The Blog <newsletter@example.net>"
feeds = ["http://127.0.0.1:{feed}/"]

[fetch]
allow_private = true

[dns]
servers = ["127.0.0.1:{dns}"]
"""
TOKEN = "DGyRejmCefe7v4NfDGDKfA_-1"
HTTP_SECONDS = 10.0


class Office(PostOffice):
    """A service that gets its certificate by ACME, with an authority that is never reached."""

    roles_max = 5

    def __init__(self, folder: Path, dns_port: int) -> None:
        super().__init__(folder, free_port())
        self.folder = folder
        self.https, self.http = free_port(), free_port()
        text = self.config.read_text().replace(
            'url = "none"\n',
            f"""\
url    = "https://{HOST}"
listen = ["https://127.0.0.1:{self.https}", "http://127.0.0.1:{self.http}"]

[tls]
acme = "me@elsewhere.example"
""",
        )
        self.config.write_text(text + NEWSLETTER.format(feed=free_port(), dns=dns_port))
        self.issued: list[bytes] = []  # the certificates, as TLS shows them

    def renew(self) -> None:
        """A new certificate takes the place of the old one."""
        pair = make_pair(self.folder, HOST)
        certificate = Path(pair.certificate).read_text()
        self.issued.append(ssl.PEM_cert_to_DER_cert(certificate))
        with (self.folder / "authorities.pem").open("a") as authorities:
            authorities.write(certificate)
        self.put("fresh.pem", (Path(pair.key).read_text() + certificate).encode())
        (self.store / SERVER_PEM).parent.mkdir(parents=True, exist_ok=True)
        (self.store / "fresh.pem").rename(self.store / SERVER_PEM)

    def put(self, name: str | None, octets: bytes) -> None:
        assert name is not None
        file = self.store / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(octets)

    def shown(self) -> bytes | None:
        """The certificate of port 443; None if the handshake is refused."""
        with suppress(ssl.SSLError):
            call = create_connection(("127.0.0.1", self.https), HTTP_SECONDS)
            with closing(anyone().wrap_socket(call, server_hostname=HOST)) as tls:
                return tls.getpeercert(binary_form=True)
        return None

    def curl(self, *words: str) -> str:
        """The answer with its header; every name leads here."""
        quiet = ("curl", "--silent", "--show-error", "--include", "--max-time", "10")
        authorities = str(self.folder / "authorities.pem")
        return ran(*quiet, "--cacert", authorities, "--connect-to", "::127.0.0.1:", *words)

    def offers_starttls(self) -> bool:
        with smtplib.SMTP("127.0.0.1", self.port, timeout=HTTP_SECONDS) as client:
            client.ehlo("client.example")
            return client.has_extn("starttls")


def anyone() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ran(*words: str, said: bytes = b"") -> str:
    done = subprocess.run(words, input=said, stdout=-1, stderr=subprocess.STDOUT, timeout=20, check=False)
    return done.stdout.decode("utf-8", "replace")


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    names = Dns()
    names.lines = ["example.org. 60 IN MX 10 mx1.provider.example.", f"{HOST}. 60 IN A 127.0.0.1"]
    with names.running() as port:
        opened = Office(tmp_path_factory.mktemp("office"), port)
        try:
            opened.store.mkdir(mode=0o700)
            opened.start()
            opened.wait_for_roles()
            yield opened
        finally:
            opened.end()


def test_the_first_certificate_is_taken_up_by_mail_and_pages_and_challenges_are_answered_before(
    office: Office,
) -> None:
    assert not office.offers_starttls()
    assert office.shown() is None
    page = office.curl(f"http://{HOST}:{office.http}/weekly/")
    assert page.startswith("HTTP/1.1 503 ")
    assert "certificate" in page
    # What the authority asks for, with another TLS library and before there is a certificate.
    office.put(http_answer(TOKEN), b"key authorization")
    challenge = f"http://{HOST}:{office.http}/.well-known/acme-challenge/"
    assert office.curl(challenge + TOKEN).endswith("\r\n\r\nkey authorization")
    (office.store / "acme" / "account.pem").write_bytes(b"secret")
    for beside in ("../account.pem", "..%2faccount.pem", "%2e%2e%2faccount.pem"):
        answer = office.curl("--path-as-is", challenge + beside)
        assert answer.startswith("HTTP/1.1 404 ")
    pair = make_pair(office.folder, "challenge.example")
    office.put(alpn_answer(HOST), Path(pair.key).read_bytes() + Path(pair.certificate).read_bytes())
    looked = ran("openssl", "s_client", "-connect", f"127.0.0.1:{office.https}", "-servername", HOST,
                 "-alpn", ALPN_PROTOCOL)  # fmt: skip
    assert "ALPN protocol: acme-tls/1" in looked
    assert "CN = challenge.example" in looked

    office.renew()
    until("pages come encrypted", lambda: office.shown() == office.issued[0])
    until("mail comes encrypted", office.offers_starttls)
    page = office.curl(f"https://{HOST}:{office.https}/weekly/")
    assert page.startswith("HTTP/1.1 200 ")
    assert "strict-transport-security: max-age=31536000" in page.lower()
    led = office.curl(f"http://{HOST}:{office.http}/weekly/?a=b", "--header", "Host: evil.example")
    assert f"location: https://{HOST}/weekly/?a=b\r\n" in led.lower()
    assert "strict-transport-security" not in led.lower()
    looked = ran("openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{office.port}")
    assert f"CN = {HOST}" in looked


def test_a_policy_is_served_with_the_hosts_that_dns_has_and_us(office: Office) -> None:
    office.renew()
    url = f"https://mta-sts.example.org:{office.https}/.well-known/mta-sts.txt"
    until("pages come encrypted", lambda: office.shown() == office.issued[0])
    until("the policy is served", lambda: "STSv1" in office.curl("--insecure", url))
    answer = office.curl("--insecure", url)
    head, _, policy = answer.partition("\r\n\r\n")
    assert "content-type: text/plain" in head.lower()
    assert policy == (
        f"version: STSv1\r\nmode: testing\r\nmx: mx1.provider.example\r\nmx: {HOST}\r\nmax_age: 604800\r\n"
    )
    others = office.curl("--insecure", f"https://{HOST}:{office.https}/.well-known/mta-sts.txt")
    assert others.startswith("HTTP/1.1 404 ")


def test_old_tls_and_renegotiation_are_refused_and_nothing_breaks(office: Office) -> None:
    office.renew()
    until("pages come encrypted", lambda: office.shown() == office.issued[0])
    at = ("openssl", "s_client", "-connect", f"127.0.0.1:{office.https}", "-servername", HOST)
    assert "protocol version" in ran(*at, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert "no renegotiation" in ran(*at, "-tls1_2", said=b"R\n")
    assert "Cipher is TLS_AES" in ran(*at, "-tls1_3")
    assert office.shown() == office.issued[0]


class Load:
    """Clients that open one encrypted connection after the other, half of them for mail."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._enough = Event()
        self.handshakes = 0
        self.failures: list[str] = []
        self.seen: set[bytes] = set()
        calls = [self._ask, self._mail] * (CLIENTS // 2)
        self._threads = [Thread(target=self._come, args=(call,)) for call in calls]
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def _come(self, call: Callable[[], bytes | None]) -> None:
        while not self._enough.is_set():
            try:
                shown = call()
            except (OSError, smtplib.SMTPException, HTTPException) as error:
                self.failures.append(repr(error))
                continue
            self.handshakes += 1
            if shown is not None:
                self.seen.add(shown)

    def _ask(self) -> bytes | None:
        call = create_connection(("127.0.0.1", self._office.https), HTTP_SECONDS)
        with anyone().wrap_socket(call, server_hostname=HOST) as tls:
            tls.sendall(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b""
            while len(piece := tls.recv(4096)) > 0:
                answer += piece
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise HTTPException(repr(answer[:100]))
            return tls.getpeercert(binary_form=True)

    def _mail(self) -> bytes | None:
        with smtplib.SMTP("127.0.0.1", self._office.port, timeout=HTTP_SECONDS) as client:
            client.starttls(context=anyone())
            client.ehlo("client.example")
            assert isinstance(client.sock, ssl.SSLSocket)
            return client.sock.getpeercert(binary_form=True)


def test_certificates_are_renewed_under_load_without_one_failed_handshake(office: Office) -> None:
    office.renew()
    until("pages come encrypted", lambda: office.shown() == office.issued[0])
    until("mail comes encrypted", office.offers_starttls)
    with smtplib.SMTP("127.0.0.1", office.port, timeout=HTTP_SECONDS) as kept:
        kept.starttls(context=anyone())
        load = Load(office)
        try:
            for _ in range(SWAPS):
                office.renew()
                until("the new certificate is in use", lambda: office.issued[-1] in load.seen)
                assert kept.noop()[0] == 250
        finally:
            load.end()
        assert load.failures == []
        assert set(office.issued[1:]) <= load.seen <= set(office.issued)
        assert load.handshakes > CLIENTS
        assert kept.noop()[0] == 250
