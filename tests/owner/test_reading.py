"""Reading held mail: hostile content is shown safely."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.cli.screen import printable_lines, say_json
from secondpost.compose.html_words import lines_of
from secondpost.mail.printable import printable
from secondpost.owner.reading import PARTS_MAX, READ_OCTETS_MAX, TEXT_CHARACTERS_MAX, read_message

MULTIPART = b"""\
From: =?utf-8?q?J=C3=B8rgen?= <j@example.org>
To: ada@example.net
Subject: =?utf-8?b?R3LDvMOfZQ==?=
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe
--b
Content-Type: application/pdf; name="plan.pdf"
Content-Disposition: attachment; filename="plan.pdf"
Content-Transfer-Encoding: base64

AAAA
--b--
"""


def test_headers_and_text_are_decoded_and_attachments_named() -> None:
    reading = read_message(MULTIPART)
    assert reading.headers["From"] == "Jørgen <j@example.org>"
    assert reading.headers["Subject"] == "Grüße"
    assert reading.text.strip() == "Grüße"
    assert reading.attachments == ("plan.pdf",)


def test_a_page_without_a_text_part_is_read_as_its_words() -> None:
    mail = (
        b"Content-Type: text/html\r\n\r\n<style>p{}</style><p>Hello <b>Ada</b></p><script>x()</script><p>Bye"
    )
    assert read_message(mail).text == "Hello Ada\nBye"


def test_what_cannot_be_decoded_is_shown_as_it_stands() -> None:
    broken = (
        b"Subject: =?no-such-charset?q?x?=\r\nContent-Type: text/plain; charset=no-such\r\n\r\n\xffabc\r\n"
    )
    reading = read_message(broken)
    assert reading.headers["Subject"] == "=?no-such-charset?q?x?="
    assert reading.text == "ÿabc\r\n"


def test_parts_without_number_are_not_all_walked() -> None:
    parts = b"".join(b"--b\r\nContent-Type: image/png\r\n\r\nx\r\n" for _ in range(PARTS_MAX * 3))
    mail = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + parts + b"--b--\r\n"
    assert len(read_message(mail).attachments) < PARTS_MAX


def test_parts_nested_without_end_are_shown_as_they_stand() -> None:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n) for n in range(5000)
    )
    assert read_message(b"Subject: deep\r\n" + nested).text.startswith("Subject: deep")


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    read_message(data)
    read_message(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" + data)
    read_message(b"Subject: =?utf-8?b?" + data)
    read_message(b"Content-Type: text/html\r\n\r\n" + data)


@given(st.text(max_size=200))
def test_no_page_breaks_the_reader(html: str) -> None:
    lines_of(html)


@pytest.mark.parametrize("piece", ["<a ", "<a '", "<!--", "<![CDATA[", "<script></scrip", "<td>x"])
def test_a_page_made_to_be_slow_is_read_in_one_pass(piece: str) -> None:
    page = piece * (READ_OCTETS_MAX // len(piece))
    assert len(read_message(b"Content-Type: text/html\r\n\r\n" + page.encode()).text) <= TEXT_CHARACTERS_MAX


def test_mail_does_not_steer_the_terminal() -> None:
    assert printable("\x1b[2Jx\r\n\u202eabc") == "\\x1b[2Jx\\r\\n\\u202eabc"
    assert printable_lines("a\tb\r\nc\x07") == "a    b\nc\\x07"
    assert printable_lines("a\n\nb\n") == "a\n\nb"
    assert printable_lines("a\x0bb\x0cc\x85d\u2028e\rf") == "a\\x0bb\\x0cc\\x85d\\u2028e\\rf"


def test_a_document_does_not_steer_the_terminal_and_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    document = {"reply": "\x1b[2J\x9b2J\x7f\u202e\u2028 é 漢 \U0001f600 \U000e0041"}
    say_json(document)
    said = capsys.readouterr().out
    assert said.replace("\n", "").isprintable()
    assert "é 漢 \U0001f600" in said
    assert json.loads(said) == document
