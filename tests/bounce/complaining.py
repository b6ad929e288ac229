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


def report_of_microsoft(mail: bytes) -> bytes:
    """A report of the Junk Mail Reporting Program about `mail`, in the form that is not ARF."""
    return (
        b"Date: Thu, 29 Apr 2027 23:34:45 +0000\r\nFrom: staff@hotmail.example\r\n"
        b"Subject: complaint about message from 192.0.2.25\r\nTo: abuse@example.net\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="F0EE2-00"\r\n\r\n'
        b"--F0EE2-00\r\nContent-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n"
        b"X-HmXmrOriginalRecipient: reader@hotmail.example\r\nX-Reporter-IP: 192.0.2.22\r\n"
        b"X-SID-PRA: newsletter@example.net\r\nX-AUTH-Result: PASS\r\n" + mail + b"\r\n--F0EE2-00--\r\n"
    )
