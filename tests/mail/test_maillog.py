"""Log lines of hostile and unlucky mail. Their form is tested in docs and by the stations."""

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.outcome import Cause
from secondpost.mail.queue_id import QueueId
from secondpost.mail.reply import Reply
from secondpost.maillog import MailLog

BOUNCES = Domain("mx2.example.net")
TOKEN = "aqaqcanlbhg7vwcry72a3u2glyzcdwk6"


def test_a_token_is_never_in_the_log_whoever_says_it() -> None:
    lines: list[str] = []
    log = MailLog(lines.append, BOUNCES)
    id, reader = DeliveryId(QueueId(1), 1), Mailbox.parse("ada@example.org")
    said = Reply.of(550, "5.1.8", f"<b-{TOKEN}@{BOUNCES}>: Sender address rejected")
    log.protocol_fault("192.0.2.1", f"501 5.1.3 The recipient is not an address to: RCPT TO:<b-{TOKEN}.@x>")
    log.refused(
        "192.0.2.1", reader, Mailbox.parse(f"leave-{TOKEN.upper()}@mx2.example.com"), said, "not-ours"
    )
    log.deferred(id, reader, Cause.RECIPIENT, "mx.example.org", said, 1)
    log.failed(id, reader, Cause.RECIPIENT, "mx.example.org", said)
    log.delivered(id, Mailbox("confirm-" + TOKEN, BOUNCES), "(inside)", said, 1)
    assert len(lines) == 5
    assert [line for line in lines if TOKEN in line.lower()] == []
    assert "RCPT TO:<b-*.@x>" in lines[0]
    assert "to=leave-*@mx2.example.com" in lines[1]
    assert all("b-*@mx2.example.net>: Sender address rejected" in line for line in lines[1:])
