"""Addresses in UTF-8: which are valid and equal; and headers that contain UTF-8."""

import pytest

from secondpost.mail.address import NULL_PATH, AddressError, Domain, Mailbox
from secondpost.protocols.mime.utf8_header import HeaderLook
from secondpost.protocols.smtp.international import written_domain, written_mailbox, written_reverse_path


def test_both_forms_of_a_domain_are_one() -> None:
    assert written_domain("пример.example") == written_domain("XN--e1afmkfd.Example")
    assert written_domain("пример.example").written == "пример.example"
    assert written_domain("straße.example").name == "xn--strae-oqa.example"  # IDNA 2008, not 2003


def test_a_mailbox_keeps_what_its_sender_wrote() -> None:
    mailbox = written_mailbox("иван@пример.example")
    assert mailbox == Mailbox("иван", Domain("xn--e1afmkfd.example"))
    assert mailbox.written == "иван@пример.example"
    assert written_mailbox(mailbox.written) == mailbox
    assert not written_mailbox("anna@пример.example").needs_utf8
    assert written_reverse_path("") is NULL_PATH


@pytest.mark.parametrize(
    "text",
    [
        "иван@Пример.example",  # no U-label: those are in lower case
        "иван@при мер.example",
        "иван@-пример.example",
        "иван@e\u0301.example",  # not composed
        "иван@" + "п" * 70 + ".example",
        "иван@" + "пример." * 60 + "example",
        "@пример.example",
        "пример.example",
        "a@b@пример.example",
    ],
)
def test_what_is_no_mailbox(text: str) -> None:
    with pytest.raises(AddressError):
        written_mailbox(text)


@pytest.mark.parametrize(
    ("message", "has_utf8"),
    [
        ("Subject: Grüße\r\n\r\nplain\r\n", True),
        ("Subject: plain\r\n\r\nGrüße\r\n", False),
        ("Subject: plain\r\nFrom: иван\r\n\r\n", True),
        ("\r\nGrüße\r\n", False),
        ("Subject: ü", True),
        ("", False),
    ],
)
def test_a_header_in_utf8_is_found_however_it_is_cut(message: str, has_utf8: bool) -> None:
    data = message.encode()
    for size in (1, 2, 3, 5, 1000):
        look = HeaderLook()
        for at in range(0, len(data), size):
            look.add(data[at : at + size])
        assert look.has_utf8 is has_utf8, size
