"""The link by which readers leave is asked for by HTTPS: what readers and providers would meet counts."""

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.config.records import Config, Dkim, Web
from secondpost.config.records import Dns as DnsSettings
from secondpost.mail.address import Endpoint
from secondpost.protocols.tokens import Ring
from secondpost.roles.duties import DutyWatch
from secondpost.roles.leave_look import leave_token, look_at_leave_link
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.web.content_policy import POLICY
from secondpost.world.ports import KeyFault
from secondpost.world.real.dice import RealDice
from secondpost.world.real.keys import make_missing_keys, ring_path
from tests.alarms import unlogged_alarms
from tests.cli.test_check_dns import Dns
from tests.clock import SetClock
from tests.newsletter.blog import WEEKLY
from tests.setup.test_prove import Proofs
from tests.watch.test_alarm_desk import CONFIG as OFFICE
from tests.world.certificates import make_pair
from tests.world.web_server import WebServer, answer

HOST = "mx2.example.net"
OURS = answer("200 OK", b"Leave?", content_security_policy=POLICY)
FOREIGN = answer("200 OK", b"Welcome to your router")


@pytest.fixture
def names() -> Iterator[int]:
    """The port of a name server."""
    shown = Dns()
    shown.lines = [f"{HOST}. 60 IN A 127.0.0.1"]
    with shown.running() as port:
        yield port


def config_of(folder: Path, names: int, url: str) -> Config:
    make_missing_keys(str(folder), Dkim(), RealDice())
    dns = DnsSettings(servers=(Endpoint("127.0.0.1", names),))
    return replace(OFFICE, store=str(folder), newsletters=(WEEKLY,), dns=dns, web=Web(url=url))


def look(
    folder: Path, names: int, page: bytes, certificate_of: str, monkeypatch: pytest.MonkeyPatch
) -> Diagnosis:
    """The result where every path below /leave/ is answered so."""
    pair = make_pair(folder, certificate_of)
    monkeypatch.setenv("SSL_CERT_FILE", pair.certificate)  # the authority that is trusted
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(pair.certificate, pair.key)

    async def story() -> tuple[Diagnosis, ...]:
        pages: dict[str, bytes | None] = {}
        async with WebServer(pages).running(tls) as server:
            config = config_of(folder, names, f"https://{HOST}:{server.port}")
            pages[f"/leave/{leave_token(config)}"] = page
            return await look_at_leave_link(config)

    [found] = asyncio.run(story())
    assert found.check is Check.LEAVE_LINK
    return found


def test_a_link_of_ours_with_a_valid_certificate_is_well(
    tmp_path: Path, names: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert look(tmp_path, names, OURS, HOST, monkeypatch).grade is Grade.WELL


@pytest.mark.parametrize(
    ("page", "certificate_of", "said"),
    [
        (OURS, "other.example.net", "certificate"),
        (FOREIGN, HOST, "another program answers"),
        (answer("503 Service Unavailable", content_security_policy=POLICY), HOST, "HTTP 503"),
        (answer("302 Found", location="/login"), HOST, "another program answers"),
    ],
)
def test_what_readers_could_not_leave_by_is_a_fault(
    tmp_path: Path,
    names: int,
    page: bytes,
    certificate_of: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = look(tmp_path, names, page, certificate_of, monkeypatch)
    assert found.grade is Grade.FAULT
    assert said in found.text


def test_a_port_at_which_nobody_listens_is_a_fault_and_no_name_is_none(tmp_path: Path, names: int) -> None:
    [closed] = asyncio.run(look_at_leave_link(config_of(tmp_path, names, f"https://{HOST}:1")))
    assert (closed.check, closed.grade) == (Check.LEAVE_LINK, Grade.FAULT)
    silent = replace(
        config_of(tmp_path, names, f"https://{HOST}"), dns=DnsSettings((Endpoint("127.0.0.1", 9),))
    )
    [unanswered] = asyncio.run(look_at_leave_link(silent))
    assert unanswered.check is Check.DNS_ANSWERS


def test_without_pages_there_is_nothing_to_look_at(tmp_path: Path, names: int) -> None:
    assert asyncio.run(look_at_leave_link(replace(config_of(tmp_path, names, ""), web=Web(url=None)))) == ()


def test_the_look_at_duties_notes_what_is_wrong_with_the_link_for_the_publish_role(
    tmp_path: Path, names: int
) -> None:
    config, proofs = config_of(tmp_path, names, f"https://{HOST}:1"), Proofs()
    watch = DutyWatch(config, proofs, SetClock(), unlogged_alarms())
    assert not asyncio.run(watch.look())
    [proof] = proofs.by_domain.values()
    assert (proof.domain, proof.proven_ms) == ("example.net", None)
    assert proof.fault.startswith(f"No page for leaving can be opened at https://{HOST}:1: ")
    assert f"Ports 443 and 80 of https://{HOST}:1 must lead to this server" in proof.fault


def test_without_the_keys_of_links_nothing_is_proven(tmp_path: Path, names: int) -> None:
    config = config_of(tmp_path, names, f"https://{HOST}")
    Path(ring_path(str(tmp_path), Ring.LINKS)).unlink()
    with pytest.raises(KeyFault):
        asyncio.run(look_at_leave_link(config))
