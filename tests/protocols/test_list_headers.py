"""Header fields: any value gives one field of ASCII lines, or a refusal."""

from collections.abc import Callable
from email import message_from_bytes
from email.policy import default

import pytest
from hypothesis import given
from hypothesis import strategies as some

from secondpost.mail.address import Domain
from secondpost.protocols.mime.header_fields import (
    FieldFault,
    address_field,
    structured_field,
    text_field,
)
from secondpost.protocols.mime.list_headers import (
    feedback_id,
    list_archive,
    list_help,
    list_id,
    list_unsubscribe,
    message_id,
)

BREAKING = [
    "a\rb",
    "a\nb",
    "a\r\nBcc: x@evil.example",
    "a\0b",
    "a\x1bb",
    "a\x7fb",
    "a\x85b",
    "a\u2028b",
    "a\u2029b",
]
BREAKING += ["a\udc80b", "a\ufdd0b", "a\tb", ""]
WORDS = some.text(
    alphabet=some.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cn")), min_size=1, max_size=200
)


def read_back(field: str, name: str) -> str:
    """The field's value as read by another parser; there must be only this field."""
    message = message_from_bytes(field.encode("ascii") + b"\r\n\r\nbody", policy=default)
    assert message.keys() == [name]
    assert message.get_payload() == "body"
    return str(message[name])


def is_well_folded(field: str) -> bool:
    lines = field.split("\r\n")
    folded = all(line.startswith(" ") and len(line.strip()) > 0 for line in lines[1:])
    lone = all(len(line) <= 78 or len(line.split()) == 1 for line in lines[1:])
    return folded and lone and (len(lines[0]) <= 78 or len(lines[0].split()) == 2)


@pytest.mark.parametrize("value", BREAKING)
def test_a_value_that_could_break_out_is_refused(value: str) -> None:
    makers: list[Callable[[], str]] = [
        lambda: text_field("Subject", value),
        lambda: address_field("From", "The Blog", value),
        lambda: structured_field("List-Help", ("<a>", value)),
        lambda: list_archive(value) if len(value) > 0 else list_id("", value),
        lambda: list_unsubscribe(f"https://a.example/{value}", "b@c.example" if len(value) > 0 else "\n"),
    ]
    for make in makers:
        with pytest.raises(FieldFault):
            make()
    if len(value) > 0:
        with pytest.raises(FieldFault):
            address_field("From", value, "a@example.net")


@given(WORDS)
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    field = text_field("Subject", subject)
    assert is_well_folded(field)
    read = read_back(field, "Subject")
    # White space at the edge of a field is not part of it, unless it was encoded.
    assert read == subject or read.split() == subject.split()


@pytest.mark.parametrize(
    "subject",
    [
        "Plain",
        "Größe",
        "two  spaces",
        " leading",
        "=?utf-8?b?R3LDtsOfZQ==?= typed by hand",
        "word " * 100,
        "x" * 300,
        "Привет, " * 40,
        "👩‍👩‍👧‍👦" * 30,
        "日本語" * 100,
    ],
)
def test_remarkable_subjects(subject: str) -> None:
    field = text_field("Subject", subject)
    assert is_well_folded(field)
    assert max(map(len, field.split("\r\n"))) <= 78
    assert read_back(field, "Subject") == subject.strip() or " " in subject


@pytest.mark.parametrize(
    "display",
    ["The Blog", "Blog, Ltd.", 'The "Blog"', "back\\slash", "a@b", "Größe & Söhne", "=?x?=", "Ünï, <c@d>"],
)
def test_a_display_name_never_becomes_an_address(display: str) -> None:
    field = address_field("From", display, "newsletter@example.net")
    message = message_from_bytes(field.encode("ascii") + b"\r\n\r\n", policy=default)
    (address,) = message["From"].addresses
    assert address.addr_spec == "newsletter@example.net"
    assert address.display_name == display


def test_without_a_display_name_the_address_stands_alone() -> None:
    assert address_field("From", "", "a@example.net") == "From: a@example.net"


def test_a_value_that_is_not_ascii_is_refused_where_nothing_is_encoded() -> None:
    with pytest.raises(FieldFault, match="ASCII"):
        list_help("https://example.net/hjælp")


def test_a_field_without_end_is_refused() -> None:
    with pytest.raises(FieldFault, match="more than 4000"):
        text_field("Subject", "x" * 4_001)
    with pytest.raises(FieldFault, match="more than 998"):
        structured_field("List-Help", ("x" * 1_000,))


def test_the_fields_of_a_list() -> None:
    assert list_id("The Blog", "weekly.example.net") == "List-Id: The Blog <weekly.example.net>"
    assert list_help("https://example.net/") == "List-Help: <https://example.net/>"
    assert list_archive("https://example.net/") == "List-Archive: <https://example.net/>"
    page, mailbox = "https://mx2.example.net/leave/" + "a" * 36, "leave-" + "b" * 36 + "@mx2.example.net"
    field = list_unsubscribe(page, mailbox)
    assert is_well_folded(field)
    assert read_back(field, "List-Unsubscribe") == f"<{page}>, <mailto:{mailbox}>"
    assert "https" not in list_unsubscribe(None, mailbox)


def test_a_message_id_is_one_per_mail_and_the_same_at_every_attempt() -> None:
    domain = Domain("example.net")
    ids = {message_id(b"s" * 16, reader, number, domain) for reader in range(50) for number in range(20)}
    assert len(ids) == 1000
    assert message_id(b"s" * 16, 1, 12, domain) == message_id(b"s" * 16, 1, 12, domain)
    assert message_id(b"s" * 16, 1, 12, domain) != message_id(b"t" * 16, 1, 12, domain)


def test_the_feedback_id_is_the_same_for_all_mails_of_a_newsletter_and_names_its_sender() -> None:
    field = feedback_id("weekly", Domain("example.net"))
    campaign, customer, kind, sender = read_back(field, "Feedback-ID").split(":")
    assert (campaign, customer, kind) == ("weekly", "weekly", "issue")
    assert 5 <= len(sender) <= 15
    other = feedback_id("weekly", Domain("example.org"))
    assert not other.endswith(sender)
