"""A person's mail is distinguished from a program's, and its author found."""

import pytest

from secondpost.mail.address import NULL_PATH, Mailbox, ReversePath
from secondpost.protocols.dsn.automatic import author_of, is_automatic
from secondpost.protocols.dsn.parts import header_of

ANN = Mailbox.parse("ann@example.org")


@pytest.mark.parametrize(
    ("header", "sender"),
    [
        ("Subject: Out of office\r\nAuto-Submitted: auto-replied\r\n", ANN),
        ("Auto-Submitted: auto-generated; owner-email=x@example.org\r\n", ANN),
        ("Precedence: bulk\r\n", ANN),
        ("X-Autoreply: yes\r\n", ANN),
        ("Content-Type: multipart/report; report-type=delivery-status\r\n", ANN),
        ("List-Id: <a.example.org>\r\n", ANN),
        ("Subject: Re: please confirm\r\n", NULL_PATH),
        ("Subject: Returned\r\n", Mailbox.parse("MAILER-DAEMON@example.org")),
    ],
)
def test_what_a_program_wrote_is_seen(header: str, sender: ReversePath) -> None:
    assert is_automatic(header_of(header.encode() + b"\r\nbody\r\n"), sender)


def test_a_persons_answer_is_one() -> None:
    header = "From: Ann <ann@example.org>\r\nSubject: Re: please confirm\r\nAuto-Submitted: no\r\n\r\nyes\r\n"
    assert not is_automatic(header_of(header.encode()), ANN)
    assert not is_automatic(header_of(b""), ANN)


@pytest.mark.parametrize(
    ("value", "author"),
    [
        ("ann@example.org", "ann@example.org"),
        ("Ann <ann@Example.org>", "ann@example.org"),
        ('"Ann, of <the> town" <ann@example.org>', None),
        ("Ann\r\n <ann@example.org>", "ann@example.org"),
        ("Ann <ann@example.org>, Bob <bob@example.org>", None),
        ("ann@example.org, bob@example.org", None),
        ("undisclosed", None),
        ("", None),
    ],
)
def test_the_author_is_the_one_mailbox_in_from(value: str, author: str | None) -> None:
    header = header_of(f"Subject: x\r\nFrom: {value}\r\n\r\n".encode())
    assert author_of(header) == (None if author is None else Mailbox.parse(author))


def test_a_header_without_an_end_is_read_within_its_bound() -> None:
    assert author_of(header_of(b"X: y\r\n" * 100_000 + b"From: ann@example.org\r\n")) is None
