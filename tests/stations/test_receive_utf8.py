"""SMTP sessions with SMTPUTF8: what is passed on, and what the Received line says."""

from pathlib import Path

import pytest

from secondpost.mail.envelope import Arrival, Utf8
from tests.stations.test_receive import Office, content_of, in_office

PLAIN = "Subject: hello\r\n\r\nHello.\r\n"
UTF8 = "Subject: Grüße\r\n\r\nHello.\r\n"


def arrival_of(folder: Path, sender: str, recipient: str, said: str, body: str) -> Arrival:
    async def story(office: Office) -> None:
        client = office.call()
        envelope = f"EHLO client.example\r\nMAIL FROM:<{sender}>{said}\r\nRCPT TO:<{recipient}>\r\nDATA\r\n"
        assert (await client.say(envelope.encode()))[-1].startswith("354 ")
        assert (await client.say(f"{body}.\r\n".encode()))[-1].startswith("250 ")

    ((arrival, _),) = in_office(folder, story).intake.taken
    return arrival


def test_addresses_in_utf8_travel_as_they_were_written(tmp_path: Path) -> None:
    arrival = arrival_of(tmp_path, "иван@пример.example", "José@example.net", " SMTPUTF8", UTF8)
    assert arrival.envelope.sender.written == "иван@пример.example"
    assert [recipient.written for recipient in arrival.envelope.recipients] == ["José@example.net"]
    assert arrival.peer.protocol == "UTF8SMTP"
    received, _, rest = content_of(arrival).decode().partition("Subject:")
    assert f"Subject:{rest}" == UTF8
    assert "with UTF8SMTP id" in received
    assert "for <José@example.net>;" in received


@pytest.mark.parametrize(
    ("sender", "recipient", "said", "body", "utf8"),
    [
        ("anna@elsewhere.example", "bert@example.net", "", PLAIN, Utf8.NONE),
        ("anna@elsewhere.example", "bert@example.net", "", UTF8, Utf8.NONE),  # not requested
        ("anna@elsewhere.example", "bert@example.net", " SMTPUTF8", PLAIN, Utf8.SAID),
        (
            "anna@пример.example",
            "bert@example.net",
            " SMTPUTF8",
            PLAIN,
            Utf8.SAID,
        ),  # an A-label is sufficient
        ("anna@elsewhere.example", "bert@example.net", " SMTPUTF8", UTF8, Utf8.NEEDED),
        ("иван@elsewhere.example", "bert@example.net", " SMTPUTF8", PLAIN, Utf8.NEEDED),
        ("anna@elsewhere.example", "иван@example.net", " SMTPUTF8", PLAIN, Utf8.NEEDED),
    ],
)
def test_what_needs_smtputf8_is_told_from_what_only_says_so(
    tmp_path: Path, sender: str, recipient: str, said: str, body: str, utf8: Utf8
) -> None:
    assert arrival_of(tmp_path, sender, recipient, said, body).envelope.utf8 is utf8
