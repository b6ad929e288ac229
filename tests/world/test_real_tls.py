"""STARTTLS with ourselves on loopback, both loops; changed certificates; broken handshakes."""

import asyncio
import os
import re
import ssl
import time
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.config.files import open_to_read
from secondpost.config.records import Tls
from secondpost.mail.address import Endpoint
from secondpost.mail.alarm import Severity
from secondpost.mail.duration import DAY_MS
from secondpost.mail.tally import Tally
from secondpost.roles.certificate_look import certificate_look
from secondpost.world.ports import ClientTls, NetError, ServerTls, TlsFacts
from secondpost.world.real.net import RealNet
from secondpost.world.real.tls import CertificateError, PemCopies, ServerCertificate
from tests.alarms import logged_alarms
from tests.clock import SetClock
from tests.in_line_work import InLineWork
from tests.stations.test_outages import CONFIG

from .certificates import Pair, make_pair
from .conftest import Run
from .test_real_net import ANY, Talker

NAME = "mx.example.net"


class Post:
    """A server that starts TLS at once on STARTTLS, and queues input before it is ready."""

    def __init__(self, net: RealNet) -> None:
        self.net = net
        self.talker = Talker(b"220\r\n")
        self.facts: TlsFacts | None = None
        self.failed: NetError | None = None

    async def serve(self, timeout_seconds: float = 5) -> None:
        await self.talker.until(lambda it: it.heard == b"STARTTLS\r\n")
        plain = self.talker.transport
        assert plain is not None
        plain.pause_reading()
        plain.write(b"220 go\r\n")
        try:
            wrapped, self.facts = await self.net.start_tls(plain, self.talker, ServerTls(), timeout_seconds)
        except NetError as error:
            self.failed = error
            return
        await self.talker.until(lambda it: it.heard.endswith(b"EHLO\r\n"))
        wrapped.write(b"250 in secret\r\n")
        await self.talker.until(lambda it: it.is_lost)


async def called(net: RealNet, endpoint: Endpoint) -> tuple[asyncio.Transport, Talker]:
    """A client that has sent STARTTLS."""
    client = Talker()
    transport = await net.connect(lambda: client, endpoint, 5)
    await client.until(lambda it: it.heard == b"220\r\n")
    transport.write(b"STARTTLS\r\n")
    await client.until(lambda it: it.heard == b"220\r\n220 go\r\n")
    return transport, client


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return make_pair(tmp_path, NAME)


@pytest.mark.parametrize("verify", [False, True])
def test_both_sides_go_to_tls_and_on_talking(run: Run[object], pair: Pair, verify: bool) -> None:
    async def day() -> None:
        net = RealNet(
            certificate=ServerCertificate(pair.certificate, pair.key), authorities_path=pair.certificate
        )
        assert net.offers_tls
        post = Post(net)
        door = await net.listen(lambda: post.talker, ANY)
        serving = asyncio.ensure_future(post.serve())
        plain, client = await called(net, door.endpoint)
        secret, facts = await net.start_tls(plain, client, ClientTls(NAME, verify), 5)
        assert facts.version == "TLSv1.3"
        assert str(facts).startswith("TLSv1.3 TLS_")
        secret.write(b"EHLO\r\n")
        await client.until(lambda it: it.heard.endswith(b"250 in secret\r\n"))
        secret.close()
        await serving
        assert post.facts == replace(facts, certificate=b"")  # a client shows none
        assert ssl.DER_cert_to_PEM_cert(facts.certificate) == Path(pair.certificate).read_text()
        door.close()

    run(day())


@pytest.mark.parametrize(
    ("server_name", "trusted", "reason"),
    [
        (NAME, False, "the certificate was refused: self-signed certificate"),
        ("other.example.net", True, "the certificate was refused: Hostname mismatch"),
    ],
)
def test_a_demanded_certificate_is_checked(
    run: Run[object], pair: Pair, server_name: str, trusted: bool, reason: str
) -> None:
    async def day() -> None:
        server_net = RealNet(certificate=ServerCertificate(pair.certificate, pair.key))
        post = Post(server_net)
        door = await server_net.listen(lambda: post.talker, ANY)
        serving = asyncio.ensure_future(post.serve())
        client_net = RealNet(authorities_path=pair.certificate if trusted else None)
        assert not client_net.offers_tls
        plain, client = await called(client_net, door.endpoint)
        with pytest.raises(NetError, match=reason):
            await client_net.start_tls(plain, client, ClientTls(server_name, verify=True), 5)
        assert plain.is_closing()
        await serving
        # In TLS 1.3 the server may have finished before it gets the client's refusal.
        assert (post.failed is None) == (post.facts is not None)
        door.close()
        await asyncio.sleep(0.01)

    run(day())


@pytest.mark.parametrize("leaving", ["close", "abort", "nonsense"])
def test_a_client_that_breaks_off_the_handshake_is_an_error_at_once(
    run: Run[object], pair: Pair, leaving: str
) -> None:
    async def day() -> None:
        net = RealNet(certificate=ServerCertificate(pair.certificate, pair.key))
        post = Post(net)
        door = await net.listen(lambda: post.talker, ANY)
        serving = asyncio.ensure_future(post.serve())
        plain, _ = await called(net, door.endpoint)
        match leaving:
            case "close":
                plain.close()
            case "abort":
                plain.abort()
            case _:
                plain.write(b"EHLO I go on in clear\r\n")
        await serving
        assert post.failed is not None
        assert str(post.failed) in (
            "TLS failed: the other side closed the connection",
            "TLS failed: wrong version number",
        )
        await post.talker.until(lambda it: it.is_lost)
        plain.abort()
        door.close()
        await asyncio.sleep(0.01)

    run(day())


def test_a_client_that_says_nothing_is_given_up(run: Run[object], pair: Pair) -> None:
    async def day() -> None:
        net = RealNet(certificate=ServerCertificate(pair.certificate, pair.key))
        post = Post(net)
        door = await net.listen(lambda: post.talker, ANY)
        serving = asyncio.ensure_future(post.serve(timeout_seconds=0.1))
        plain, client = await called(net, door.endpoint)
        await serving
        assert str(post.failed) == "TLS failed: no handshake in 0.1 s"
        await client.until(lambda it: it.is_lost)
        plain.abort()
        door.close()
        await asyncio.sleep(0.01)

    run(day())


def test_without_a_certificate_nothing_is_offered(run: Run[object]) -> None:
    async def day() -> None:
        net = RealNet()
        post = Post(net)
        door = await net.listen(lambda: post.talker, ANY)
        serving = asyncio.ensure_future(post.serve())
        plain, client = await called(net, door.endpoint)
        await serving
        assert str(post.failed) == "TLS failed: this server has no certificate"
        await client.until(lambda it: it.is_lost)
        with pytest.raises(NetError, match="closed before the handshake"):
            await net.start_tls(plain, client, ClientTls(NAME, verify=False), 5)
        door.close()
        await asyncio.sleep(0.01)

    run(day())


def test_a_changed_certificate_is_taken_over_and_a_broken_one_is_not(tmp_path: Path) -> None:
    first, second = make_pair(tmp_path, "first.example"), make_pair(tmp_path, "second.example")
    live = Pair(str(tmp_path / "live.pem"), str(tmp_path / "live.key"))
    for source, target in ((first.certificate, live.certificate), (first.key, live.key)):
        os.link(source, target)
    certificate = ServerCertificate(live.certificate, live.key)
    before = certificate.context()
    assert not certificate.reload()
    # Only the certificate is new: it does not fit the key, as halfway through a renewal.
    os.replace(second.certificate, live.certificate)
    assert not certificate.reload()
    assert certificate.fault is not None
    assert "key values mismatch" in certificate.fault
    assert certificate.context() is before
    os.replace(second.key, live.key)
    assert certificate.reload()
    assert str(certificate.fault) == "None"
    assert certificate.context() is not before
    os.remove(live.key)
    assert not certificate.reload()
    assert str(certificate.fault) == f"{live.key}: No such file or directory"


def test_while_the_files_are_broken_copies_of_them_are_used(tmp_path: Path) -> None:
    live, other = make_pair(tmp_path, "live.example"), make_pair(tmp_path, "other.example")
    good_key = Path(live.key).read_bytes()
    copies = PemCopies(Path(live.certificate).read_bytes(), good_key)
    Path(live.key).write_bytes(Path(other.key).read_bytes())
    with pytest.raises(CertificateError):
        ServerCertificate(live.certificate, live.key)
    open_before = len(os.listdir("/proc/self/fd"))
    certificate = ServerCertificate(live.certificate, live.key, copies)
    assert certificate.fault is not None
    assert "key values mismatch" in certificate.fault
    assert len(os.listdir("/proc/self/fd")) == open_before
    before = certificate.context()
    assert not certificate.reload()
    Path(live.key).write_bytes(good_key)
    assert certificate.reload()
    assert certificate.context() is not before


def test_files_that_are_no_certificate_are_told_in_clear_text(tmp_path: Path, pair: Pair) -> None:
    with pytest.raises(CertificateError, match="No such file"):
        ServerCertificate(str(tmp_path / "none"), pair.key)
    (tmp_path / "empty").touch()
    with pytest.raises(CertificateError, match="are not a certificate and its key"):
        ServerCertificate(str(tmp_path / "empty"), pair.key)


def test_the_days_of_a_certificate_are_read_as_the_service_uses_it(tmp_path: Path, pair: Pair) -> None:
    async def day() -> None:
        clock, lines = SetClock(int(time.time() * 1000)), list[str]()
        alarms = logged_alarms(lines, clock.now_ms)
        config = replace(CONFIG, tls=Tls(certificate=pair.certificate, key=pair.key))
        tally = Tally()
        look = certificate_look(config, InLineWork(), clock, alarms, open_to_read, tally)
        await look()
        assert lines == []
        clock.ms += 25 * DAY_MS  # of 30
        await look()
        assert [(alarm.subject, alarm.severity) for alarm in alarms.standing()] == [
            (pair.certificate, Severity.LOOK)
        ]
        assert alarms.standing()[0].detail.endswith((", in 5 d", ", in 4 d 23 h"))
        clock.ms -= 25 * DAY_MS
        await look()
        assert alarms.standing() == ()
        Path(pair.key).write_text("no key")
        await look()
        assert "are not a certificate and its key" in alarms.standing()[0].detail

    asyncio.run(day())


def test_the_tls_that_senders_meet_is_what_mail_tests_ask_for(pair: Pair) -> None:
    """docs/checks.md says so below internet.nl: no check looks at it, since it never changes."""
    offered = ServerCertificate(pair.certificate, pair.key).context()
    assert offered is not None
    never = ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    assert offered.options & never == never
    assert offered.options & ssl.OP_CIPHER_SERVER_PREFERENCE
    names = [cipher["name"] for cipher in offered.get_ciphers()]
    assert len(names) > 0
    assert all(re.match("(TLS_|ECDHE-|DHE-)", name) for name in names), "forward secrecy"
    assert not any(re.search("(-SHA$|MD5|RC4|DES|NULL|EXP)", name) for name in names)
    assert agreed(offered, ssl.TLSVersion.TLSv1_2) == "TLSv1.2"
    with pytest.raises(ssl.SSLError, match="UNSUPPORTED_PROTOCOL"):
        agreed(offered, ssl.TLSVersion.TLSv1_1)


def agreed(server: ssl.SSLContext, newest: ssl.TLSVersion) -> str | None:
    """The version that a client of an older time gets. Raises ssl.SSLError."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    client.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():  # Python warns of the old versions
        warnings.simplefilter("ignore", DeprecationWarning)
        client.minimum_version, client.maximum_version = ssl.TLSVersion.TLSv1, newest
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(10):
        for end in ends:
            with suppress(ssl.SSLWantReadError):
                end.do_handshake()
    return ends[0].version()
