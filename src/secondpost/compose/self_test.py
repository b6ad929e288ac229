"""Makes the message that `secondpost check delivery` sends through the backup way to the primary."""

from datetime import UTC, datetime
from email.utils import format_datetime

from secondpost.mail.address import Domain, Mailbox
from secondpost.protocols.mime.header_fields import address_field, structured_field, text_field

SELF_TEST_FIELD = "X-Secondpost-Self-Test"
TEXT = """\
This is a test. `secondpost check delivery {domain}` on {host} sent it
through the backup way, as it would hand over your mail after an outage.

Show the source of this message in your mail program, save its header and type

    secondpost check delivery {domain} --headers FILE

to see whether your mail server trusts its backup. Then delete it.
"""


def self_test_message(host: Domain, to: Mailbox, token: str, dated_ms: int) -> bytes:
    """The whole message without a Received line. `token`: letters and digits to find it by."""
    fields = (
        address_field("From", "Secondpost", f"postmaster@{host}"),
        structured_field("To", (str(to),)),
        text_field("Subject", f"Secondpost self-test {token}"),
        f"Date: {format_datetime(datetime.fromtimestamp(dated_ms // 1000, UTC))}",
        f"Message-ID: <{token}.self-test@{host}>",
        "Auto-Submitted: auto-generated",  # RFC 3834 §5
        f"{SELF_TEST_FIELD}: {token}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=us-ascii",
    )
    text = TEXT.format(domain=to.domain, host=host).replace("\n", "\r\n")
    return ("\r\n".join(fields) + "\r\n\r\n" + text).encode("ascii")
