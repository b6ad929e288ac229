"""Lines of the log as entries of the journal."""

import re

from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.queue_id import QueueId
from secondpost.mail.reply import Reply
from secondpost.maillog import MailLog, value_text
from secondpost.protocols.journal import journal_entry

FIELD = re.compile(r"[A-Z][A-Z0-9_]{0,63}")
ENTRY_OCTETS_MAX = 60_000  # less than a socket's usual buffer, 212,992 octets


def fields(entry: bytes) -> list[tuple[str, str]]:
    assert entry.endswith(b"\n")
    lines = entry.decode().removesuffix("\n").split("\n")
    return [(key, value) for key, _, value in (line.partition("=") for line in lines)]


def test_each_key_of_the_line_is_a_field() -> None:
    lines: list[str] = []
    id = DeliveryId(QueueId(1_000_000), 2)
    MailLog(lines.append).delivered(
        id, Mailbox.parse("me@example.net"), "mx1.example[192.0.2.1]", Reply.of(250, "2.0.0", "Ok: q"), 1500
    )
    assert fields(journal_entry("deliver", lines[0])) == [
        ("MESSAGE", lines[0]),
        ("PRIORITY", "6"),
        ("SYSLOG_IDENTIFIER", "secondpost"),
        ("SECONDPOST_ROLE", "deliver"),
        ("SECONDPOST_EVENT", "delivered"),
        ("SECONDPOST_ID", str(id)),
        ("SECONDPOST_ID", str(id).removesuffix("/2")),
        ("SECONDPOST_TO", "me@example.net"),
        ("SECONDPOST_HOST", "mx1.example[192.0.2.1]"),
        ("SECONDPOST_DELAY", "1.500"),
        ("SECONDPOST_REPLY", "250 2.0.0 Ok: q"),
    ]


def test_an_alarm_is_a_warning() -> None:
    assert ("PRIORITY", "4") in fields(journal_entry("deliver", 'alarm about=no-room detail="full up"'))


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,10}", fullmatch=True), st.text(max_size=400), max_size=12))
def test_no_text_from_outside_makes_a_field_or_an_entry_that_is_too_long(values: dict[str, str]) -> None:
    line = " ".join(["event", *(f"{key}={value_text(value)}" for key, value in values.items())])
    entry = journal_entry("receive", line)
    found = [(key, value) for key, value in fields(entry) if key.startswith("SECONDPOST_")][2:]
    wanted = [f"SECONDPOST_{key.upper()}" for key in values]
    assert [key for key, _ in found if key != "SECONDPOST_ID"] == [
        key for key in wanted if key != "SECONDPOST_ID"
    ]
    assert all(FIELD.fullmatch(key) is not None for key, _ in fields(entry))
    assert len(entry) <= ENTRY_OCTETS_MAX
