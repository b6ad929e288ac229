"""From a Postfix through us to a Postfix: UTF-8 mail that it accepts, and mail it would refuse."""

import json
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.ours import DOMAIN, Secondpost
from bench.postfix import Postfix
from bench.ready import free_port
from tests.against.listing import held_for_the_primary, listed, waiting
from tests.against.primaries import PostfixPrimary
from tests.against.sending import until, until_stored

QUICK = '[deliver]\nprobe = "1 second"\n'
SENDER = "иван@sender.example"
READER = f"δοκιμή@{DOMAIN}"
PLAIN_SENDER, PLAIN_READER = "anna@sender.example", f"bert@{DOMAIN}"
MARKS = "Message-ID: <1@sender.example>\r\nDate: Sat, 28 Nov 2026 12:00:00 +0000\r\n"
PLAIN = f"{MARKS}From: {PLAIN_SENDER}\r\nSubject: hello\r\n\r\nGood day.\r\n".encode()
HEADER = f"{MARKS}From: иван <{SENDER}>\r\nSubject: Grüße\r\n\r\nGuten Tag.\r\n".encode()
SECONDS_MAX = 60


@pytest.fixture
def primary(place: Path, request: pytest.FixtureRequest) -> PostfixPrimary:
    """A primary with or without SMTPUTF8, as parametrised; not started."""
    prepared = PostfixPrimary.prepared(place)
    prepared.postfix.settings = {
        **prepared.postfix.settings,
        "smtputf8_enable": request.param,
        "virtual_mailbox_maps": "static:mail/",
    }
    prepared.postfix.write()
    return prepared


with_smtputf8 = pytest.mark.parametrize("primary", ["yes"], indirect=True)
without_smtputf8 = pytest.mark.parametrize("primary", ["no"], indirect=True)


@pytest.fixture
def secondpost(place: Path, primary: PostfixPrimary) -> Secondpost:
    return Secondpost(place / "ours", free_port(), primary.port, QUICK)


@pytest.fixture
def sender(place: Path, secondpost: Secondpost) -> Iterator[Postfix]:
    """A server whose mail for backup.example comes to us."""
    folder = place / "sender"
    folder.mkdir(mode=0o755)
    settings = {
        "myhostname": "out.sender.example",
        "default_transport": f"smtp:[127.0.0.1]:{secondpost.port}",
        "smtputf8_enable": "yes",
        "minimal_backoff_time": "1s",
        "queue_run_delay": "1s",
    }
    with Postfix(folder, free_port(), settings) as postfix:
        yield postfix


def send(postfix: Postfix, sender: str, reader: str, message: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", postfix.port) as smtp:
        smtp.sendmail(sender, [reader], message, mail_options=["SMTPUTF8", "BODY=8BITMIME"])


def outcome(postfix: Postfix, reader: str) -> str:
    """The sender's log line with the outcome."""
    lines = postfix.log.read_text(encoding="utf-8").splitlines()
    found = [line for line in lines if f"to=<{reader}>" in line and "status=" in line]
    return found[-1] if len(found) > 0 else ""


def reply_to(secondpost: Secondpost, sender: str, reader: str) -> int:
    """Our reply code to RCPT; no message is sent."""
    with smtplib.SMTP("127.0.0.1", secondpost.port) as smtp:
        smtp.ehlo()
        smtp.command_encoding = "utf-8"
        smtp.mail(sender, ["SMTPUTF8"])
        return smtp.rcpt(reader)[0]


def offered_size(secondpost: Secondpost) -> str:
    with smtplib.SMTP("127.0.0.1", secondpost.port) as smtp:
        smtp.ehlo()
        return smtp.esmtp_features["size"]


def knows_the_primary(secondpost: Secondpost) -> bool:
    (known,) = json.loads(secondpost.run("status", "--json"))["primaries"]
    return known["reachable"] is True


@with_smtputf8
def test_it_arrives_where_the_primary_takes_it(
    primary: PostfixPrimary, secondpost: Secondpost, sender: Postfix
) -> None:
    with primary, secondpost:
        send(sender, SENDER, READER, HEADER)
        until_stored(primary, 1, secondpost)
        (stored,) = primary.stored()
        received = stored.decode("utf-8").partition("\r\n\tby mx2.example.net ")[2].partition(";")[0]
        assert received.startswith("with UTF8SMTP id ")
        assert f"for <{READER}>" in received
        assert stored.endswith(HEADER)
        assert "status=sent" in outcome(sender, READER)
        output = json.loads(secondpost.run("trace", READER.upper(), "--json"))
        assert [one["sender"] for one in output["messages"]] == [SENDER]
        assert f"to={READER}" in secondpost.output.read_text("utf-8").replace('"', "")


@without_smtputf8
def test_it_is_refused_at_once_where_the_primary_does_not(
    primary: PostfixPrimary, secondpost: Secondpost, sender: Postfix
) -> None:
    with primary, secondpost:
        until(lambda: reply_to(secondpost, SENDER, READER) == 550, SECONDS_MAX, secondpost.trouble)
        (known,) = json.loads(secondpost.run("status", "--json"))["primaries"]
        assert (known["reachable"], known["smtputf8"]) == (True, False)
        send(sender, SENDER, READER, PLAIN)
        until(lambda: "status=bounced" in outcome(sender, READER), SECONDS_MAX, sender.trouble)
        assert "dsn=5.6.7" in outcome(sender, READER)
        assert "550 5.6.7" in outcome(sender, READER)
        send(sender, PLAIN_SENDER, PLAIN_READER, HEADER)
        until(lambda: "status=bounced" in outcome(sender, PLAIN_READER), SECONDS_MAX, sender.trouble)
        assert "554 5.6.9" in outcome(sender, PLAIN_READER)
        assert listed(secondpost) == []
        assert primary.stored() == []


@without_smtputf8
def test_what_only_says_so_arrives_all_the_same(
    primary: PostfixPrimary, secondpost: Secondpost, sender: Postfix
) -> None:
    with primary, secondpost:
        until(lambda: knows_the_primary(secondpost), SECONDS_MAX, secondpost.trouble)
        send(sender, PLAIN_SENDER, PLAIN_READER, PLAIN)
        until_stored(primary, 1, secondpost)
        assert primary.stored()[0].endswith(PLAIN)


@without_smtputf8
def test_what_came_before_that_was_known_is_kept_and_told(
    primary: PostfixPrimary, secondpost: Secondpost, sender: Postfix
) -> None:
    with secondpost:
        send(sender, SENDER, READER, HEADER)
        until(lambda: len(held_for_the_primary(secondpost)) == 1, SECONDS_MAX, secondpost.trouble)
        with primary:
            until(lambda: len(waiting(secondpost)) == 0, SECONDS_MAX, secondpost.trouble)
            assert primary.stored() == []
        (row,) = listed(secondpost)
        assert row["standing"].startswith("kept")
        output = secondpost.run("status")
        assert f"1 delivery is kept because the primary of {DOMAIN} does not offer SMTPUTF8." in output
        assert "status=sent" in outcome(sender, READER)


@with_smtputf8
def test_the_sender_reads_of_the_primarys_size_before_it_sends(
    primary: PostfixPrimary, secondpost: Secondpost, sender: Postfix
) -> None:
    primary.postfix.settings = {**primary.postfix.settings, "message_size_limit": "20000"}
    primary.postfix.write()
    with primary, secondpost:
        until(lambda: offered_size(secondpost) == "20000", SECONDS_MAX, secondpost.trouble)
        send(sender, PLAIN_SENDER, PLAIN_READER, PLAIN + b"too large\r\n" * 2000)
        until(lambda: "status=bounced" in outcome(sender, PLAIN_READER), SECONDS_MAX, sender.trouble)
        assert "dsn=5.3.4" in outcome(sender, PLAIN_READER)
        assert listed(secondpost) == []
