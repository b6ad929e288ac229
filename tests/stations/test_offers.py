"""Mail beyond a primary's offer is refused as the primary would, and only if the offer is known."""

from pathlib import Path

import pytest

from secondpost.config.records import AnyRecipient, Backup
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.offered import Offered
from secondpost.mail.verdict import ACCEPT, Reject, Verdict
from secondpost.policy.offered import judge_envelope
from secondpost.receive.offers import FRESH_MS
from secondpost.store.primary_ports import Primary
from secondpost.world.real.clock import RealClock
from tests.stations.known import at_rcpt
from tests.stations.test_receive import DOMAIN, Office, in_office

BACKUP = Backup(DOMAIN, recipients=(AnyRecipient(),), max_size=5000)


def primary(offered: Offered, age_ms: int = 0) -> dict[Domain, Primary]:
    now_ms = RealClock().now_ms()
    return {DOMAIN: Primary("mx1.example", now_ms - age_ms, now_ms - age_ms, offered)}


def replies(
    folder: Path, primaries: dict[Domain, Primary], *said: str, backup: Backup = BACKUP
) -> list[list[str]]:
    heard: list[list[str]] = []

    async def story(office: Office) -> None:
        office.intake.known_primaries = primaries
        await office.offers.look()
        client = office.call()
        for text in said:
            heard.append(await client.say(text.encode()))

    in_office(folder, story, backup=backup)
    return heard


EHLO = "EHLO client.example\r\n"
PLAIN_BODY = "Subject: hello\r\n\r\nGrüße\r\n.\r\n"
UTF8_BODY = "Subject: Grüße\r\n\r\nhello\r\n.\r\n"


def transaction(sender: str, recipient: str, said: str = " SMTPUTF8") -> str:
    return f"MAIL FROM:<{sender}>{said}\r\nRCPT TO:<{recipient}>\r\n"


@pytest.mark.parametrize(
    ("sender", "recipient"),
    [("anna@elsewhere.example", "иван@example.net"), ("иван@elsewhere.example", "bert@example.net")],
)
def test_an_address_in_utf8_is_refused_at_rcpt_where_the_primary_does_not_take_it(
    tmp_path: Path, sender: str, recipient: str
) -> None:
    without = primary(Offered(None, smtputf8=False))
    _, heard = replies(tmp_path, without, EHLO, transaction(sender, recipient))
    assert heard[-1].startswith("550 5.6.7 ")


@pytest.mark.parametrize(
    "known",
    [primary(Offered(None, smtputf8=True)), {}, primary(Offered(None, smtputf8=False), age_ms=FRESH_MS)],
    ids=["offered", "never looked at", "long ago"],
)
def test_it_is_taken_where_the_primary_takes_it_or_nothing_is_known(
    tmp_path: Path, known: dict[Domain, Primary]
) -> None:
    envelope = transaction("иван@elsewhere.example", "иван@example.net")
    *_, heard, end = replies(tmp_path, known, EHLO, envelope + "DATA\r\n", UTF8_BODY)
    assert heard[-1].startswith("354 ")
    assert end[-1].startswith("250 ")


def test_a_header_in_utf8_is_refused_at_the_end_and_a_body_is_not(tmp_path: Path) -> None:
    without = primary(Offered(None, smtputf8=False))
    envelope = transaction("anna@bücher.example", "bert@example.net") + "DATA\r\n"
    _, _, refused, _, taken = replies(tmp_path, without, EHLO, envelope, UTF8_BODY, envelope, PLAIN_BODY)
    assert refused[-1].startswith("554 5.6.9 ")
    assert taken[-1].startswith("250 ")


def test_the_size_that_the_primary_takes_is_said_at_ehlo_mail_rcpt_and_the_end(tmp_path: Path) -> None:
    small = primary(Offered(1000, smtputf8=True))
    large_body = "x" * 500 + "\r\n"
    ehlo, mail, _, _, end = replies(
        tmp_path,
        small,
        EHLO,
        "MAIL FROM:<a@b.example> SIZE=1001\r\n",
        transaction("a@b.example", "bert@example.net", " SIZE=1000") + "RSET\r\n",
        transaction("a@b.example", "bert@example.net", "") + "DATA\r\n",
        large_body + "y" * 450 + "\r\n.\r\n",  # too large with our own Received line
    )
    assert "250-SIZE 1000" in ehlo
    assert mail[-1].startswith("552 5.3.4 ")
    assert end[-1].startswith("552 5.3.4 ")


def verdict_on(size: int, size_max: int | None) -> Verdict:
    offered = Offered(size_max, smtputf8=True)
    return judge_envelope(at_rcpt(Mailbox("anna", DOMAIN), None, size=size, offered=offered))


def test_a_declared_size_is_refused_for_the_domain_alone_whose_primary_does_not_take_it() -> None:
    verdict = verdict_on(1001, size_max=1000)
    assert isinstance(verdict, Reject)
    assert str(verdict.reply).startswith("552 5.3.4 ")
    for size_max in (1001, None):
        assert verdict_on(1001, size_max) == ACCEPT
    assert verdict_on(0, size_max=1000) == ACCEPT


def test_what_the_owner_allows_bounds_what_is_offered(tmp_path: Path) -> None:
    for size_max in (None, 9000):
        ((_, _, size, *_),) = replies(tmp_path, primary(Offered(size_max, smtputf8=True)), EHLO)
        assert size == "250-SIZE 5000"
