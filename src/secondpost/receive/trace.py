"""Makes the one line that we add to a message: Received (RFC 5321 §4.4)."""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.envelope import Peer
from secondpost.mail.queue_id import QueueId, queue_id_text


def date_time(now_ms: int) -> str:
    """RFC 5322 §3.3, always in UTC and in English."""
    return _date_time(now_ms // 1000)


@lru_cache(1)
def _date_time(seconds: int) -> str:
    written = format_datetime(datetime.fromtimestamp(seconds, UTC))
    return written.replace(", 0", ", ", 1)  # the day of the month has no leading zero


def protocol_word(extended: bool, tls: bool, utf8: bool) -> str:
    """The word after `with`: RFC 3848, and RFC 6531 §4.3 for mail with SMTPUTF8."""
    if utf8:
        return "UTF8SMTPS" if tls else "UTF8SMTP"
    if extended:
        return "ESMTPS" if tls else "ESMTP"
    return "SMTP"


def received_line(
    peer: Peer, by: Domain, queue_id: QueueId, recipients: tuple[Mailbox, ...], date: str
) -> bytes:
    """The Received line. It has `for` only with a single recipient, so that it discloses no other,
    and UTF-8 only if the message needs SMTPUTF8 (RFC 6531 §3.7.3).
    """
    address = f"IPv6:{peer.address}" if ":" in peer.address else peer.address
    tls = f"\r\n\t(using {peer.tls})" if len(peer.tls) > 0 else ""
    wanted = ""
    if len(recipients) == 1:
        recipient = recipients[0]
        wanted = f"\r\n\tfor <{recipient.written if recipient.needs_utf8 else recipient}>"
    text = (
        f"Received: from {peer.helo} ([{address}]){tls}\r\n"
        f"\tby {by} with {peer.protocol} id {queue_id_text(queue_id)}{wanted};\r\n"
        f"\t{date}\r\n"
    )
    return text.encode("utf-8")
