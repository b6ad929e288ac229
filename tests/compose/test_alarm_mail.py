"""The mail about alarms: read by Python's own parser, and signed for DKIM's."""

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from secondpost.compose.alarm_mail import IN_FULL_MAX, alarm_subject, alarm_text, remedy
from secondpost.compose.own_mail import TEXT_WIDTH, OwnHeading, own_arrival, own_message
from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.envelope import Lane, Utf8
from secondpost.mail.owner_notice import AlarmRecord, News, Notice
from secondpost.mail.queue_id import QueueId
from secondpost.mail.standing_alarms import Alarm
from secondpost.protocols.alarm_statements import stated

NOW = 1_800_000_000_000
OWNER = Mailbox.parse("me@elsewhere.example")
HEADING = OwnHeading(Domain("mx2.example.net"), (OWNER,), QueueId(1), NOW)
HELD = AlarmRecord(AlarmKind.MAIL_HELD, "example.net", "deliver", NOW, "the primary refuses", NOW, NOW, NOW)
UTC = ZoneInfo("UTC")


def read(message: bytes) -> EmailMessage:
    found = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert found.defects == []
    return found


def mail(*notices: Notice) -> EmailMessage:
    return read(own_message(HEADING, alarm_subject(HEADING, notices), alarm_text(notices, UTC)))


def test_an_alarm_says_what_since_when_why_and_what_to_do() -> None:
    message = mail(Notice(News.BEGAN, HELD))
    assert message["Subject"] == "Secondpost mx2.example.net: mail held (example.net)"
    assert message["From"].addresses[0].addr_spec == "postmaster@mx2.example.net"
    assert (message["To"], message["Auto-Submitted"]) == ("me@elsewhere.example", "auto-generated")
    assert message["Message-ID"] == "<own-0000000000001@mx2.example.net>"
    text = " ".join(message.get_content().split())
    assert "Mail held (example.net) Since 2027-01-15 08:00:00 (UTC). Mail is delayed" in text
    assert "Reason: the primary refuses" in text
    assert f"What to do: {HELD.kind.what_to_do}" in text


def test_an_issue_that_waits_is_not_said_to_delay_no_mail() -> None:
    late = replace(HELD, kind=AlarmKind.ISSUE_LATE, subject="weekly", detail="Issue 1 is not finished")
    text = " ".join(mail(Notice(News.BEGAN, late)).get_content().split())
    assert "It is worth a look; mail that is on its way is not delayed. Reason: Issue 1" in text


def test_the_worst_is_in_the_subject_and_the_rest_is_counted() -> None:
    many = [Notice(News.BEGAN, replace(HELD, subject=f"{number}.example")) for number in range(40)]
    message = mail(*many)
    assert message["Subject"] == "Secondpost mx2.example.net: mail held (0.example) and 39 more"
    text = message.get_content()
    assert text.count("What to do:") == IN_FULL_MAX
    assert f"And {40 - IN_FULL_MAX} more new: {40 - IN_FULL_MAX} mail held." in text


def test_an_end_says_how_long_it_was_and_how_it_ended() -> None:
    ended = replace(HELD, ended_ms=NOW + 2 * DAY_MS + HOUR_MS, how="12 messages were delivered")
    message = mail(Notice(News.ENDED, ended))
    assert message["Subject"] == "Secondpost mx2.example.net: over: mail held (example.net)"
    text = " ".join(message.get_content().split())
    assert "ended at 2027-01-17 09:00:00 (UTC), after 2 days. 12 messages were delivered" in text
    assert "What to do" not in text


def test_a_remedy_stands_for_itself() -> None:
    assert all("As `" not in remedy(kind) for kind in AlarmKind)


def test_an_owner_in_utf_8_is_in_the_envelope_alone() -> None:
    heading = replace(HEADING, to=(OWNER, Mailbox.parse_utf8("grüße@elsewhere.example")))
    message = own_message(heading, "a test", "words")
    assert message.isascii()
    assert read(message)["To"].addresses == ()
    arrival = own_arrival(heading, message)
    assert (arrival.lane, arrival.envelope.sender) == (Lane.OWN, NULL_PATH)
    assert arrival.envelope.utf8 is Utf8.NEEDED
    assert own_arrival(HEADING, message).envelope.utf8 is Utf8.NONE


@given(st.text(max_size=600), st.text(max_size=600), st.sampled_from(list(News)))
def test_any_words_make_one_mail(subject: str, detail: str, news: News) -> None:
    """What a process states is made printable on its way."""
    (alarm,) = stated("deliver", [Alarm(HELD.kind, subject, detail, NOW, NOW)]).alarms
    record = replace(HELD, subject=alarm.subject, detail=alarm.detail, ended_ms=NOW)
    message = own_message(
        HEADING,
        alarm_subject(HEADING, [Notice(news, record)]),
        alarm_text([Notice(news, record)], UTC),
    )
    assert message.isascii()
    assert max(len(line) for line in message.split(b"\r\n")) <= 78
    assert {name.lower() for name in read(message)} == {
        "from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version", "content-type",
        "content-transfer-encoding",
    }  # fmt: skip


def test_lines_are_short() -> None:
    text = alarm_text([Notice(News.BEGAN, replace(HELD, detail="many words " * 30))], UTC)
    assert max(map(len, text.splitlines())) <= TEXT_WIDTH
