"""What a transcript keeps of a session, and what it must not keep."""

from hypothesis import given
from hypothesis import strategies as st

from secondpost.protocols.smtp.transcript import DOT, GREETING, LOGIN, Transcript


def said(transcript: Transcript) -> list[tuple[str, int]]:
    return [(one.command, one.reply.code) for one in transcript.exchanges]


def test_each_command_stands_with_its_reply_also_in_a_group() -> None:
    transcript = Transcript()
    transcript.received(b"220 mx.example ESMTP\r\n")
    transcript.sent(b"EHLO us.example\r\n")
    transcript.received(b"250-mx.example\r\n250 PIPELINING\r\n")
    transcript.sent(b"MAIL FROM:<>\r\nRCPT TO:<a@example.net>\r\nDATA\r\n")
    transcript.received(b"250 ok\r\n250 ok\r\n35")
    transcript.received(b"4 go on\r\n")
    transcript.sent(b"Subject: x\r\n\r\nQUIT\r\n..\r\n")
    transcript.sent(b"last\r\n.\r\n")
    transcript.received(b"250 2.0.0 queued\r\n")
    transcript.sent(b"QUIT\r\n")
    transcript.received(b"221 bye\r\n")
    assert said(transcript) == [
        (GREETING, 220),
        ("EHLO us.example", 250),
        ("MAIL FROM:<>", 250),
        ("RCPT TO:<a@example.net>", 250),
        ("DATA", 354),
        (DOT, 250),
        ("QUIT", 221),
    ]


def test_a_login_is_named_and_no_secret_is_kept() -> None:
    transcript = Transcript()
    transcript.received(b"220 mx.example ESMTP\r\n")
    for line in (b"AUTH PLAIN AHVzZXIAc2VjcmV0\r\n", b"AUTH LOGIN\r\n", b"dXNlcg==\r\n", b"c2VjcmV0\r\n"):
        transcript.sent(line)
        transcript.received(b"334 \r\n")
    assert said(transcript)[1:] == [(LOGIN, 334)] * 4


def test_a_reply_that_cannot_be_read_ends_nothing() -> None:
    transcript = Transcript()
    transcript.received(b"hello\r\n")
    transcript.sent(b"QUIT\r\n")
    transcript.received(b"221 bye\r\n")
    assert len(transcript.exchanges) == 1


@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=40))))
def test_no_session_breaks_it(session: list[tuple[bool, bytes]]) -> None:
    transcript = Transcript()
    for is_ours, data in session:
        (transcript.sent if is_ours else transcript.received)(data)
