"""Reports of spam (RFC 5965) as providers send them, for tests."""

_HEAD = (
    b"From: <fbl@provider.example>\r\nSubject: FW: Two new articles\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/report; report-type=feedback-report; boundary="report"\r\n\r\n'
    b"--report\r\nContent-Type: text/plain\r\n\r\nThis is a report of spam.\r\n"
    b"--report\r\nContent-Type: message/feedback-report\r\n\r\n"
)


def report_of(mail: bytes, fields: bytes = b"") -> bytes:
    """A report of a reader who called `mail` spam, with further `fields`, each with its CRLF."""
    return (
        _HEAD
        + b"Feedback-Type: abuse\r\nUser-Agent: Loop/1\r\nVersion: 1\r\n"
        + fields
        + b"\r\n--report\r\nContent-Type: message/rfc822\r\n\r\n"
        + mail
        + b"\r\n--report--\r\n"
    )
