"""The one line that we add to a message: Received (RFC 5321 §4.4)."""

from datetime import UTC, datetime

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.envelope import Peer
from secondpost.mail.queue_id import QueueId, queue_id_text

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def date_time(now_ms: int) -> str:
    """RFC 5322 §3.3, always in UTC and never in the locale's words."""
    at = datetime.fromtimestamp(now_ms // 1000, UTC)
    day, month = _DAYS[at.weekday()], _MONTHS[at.month - 1]
    return f"{day}, {at.day} {month} {at.year} {at:%H:%M:%S} +0000"


def received_line(
    peer: Peer, by: Domain, queue_id: QueueId, recipients: tuple[Mailbox, ...], date: str
) -> bytes:
    """`for` is given only when it tells no recipient of another one."""
    address = f"IPv6:{peer.address}" if ":" in peer.address else peer.address
    tls = f"\r\n\t(using {peer.tls})" if len(peer.tls) > 0 else ""
    wanted = f"\r\n\tfor <{recipients[0]}>" if len(recipients) == 1 else ""
    text = (
        f"Received: from {peer.helo} ([{address}]){tls}\r\n"
        f"\tby {by} with {peer.protocol} id {queue_id_text(queue_id)}{wanted};\r\n"
        f"\t{date}\r\n"
    )
    return text.encode("ascii")
