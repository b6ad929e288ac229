"""One content, many readers: each mail is complete, personal, signed and repeatable."""

import random
import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.authentication import AuthResult
from secondpost.mail.issue_content import Addressee, Hole, IssueContent, ReaderMailKind
from secondpost.mail.signed_mail import SignedMail
from secondpost.protocols.mime.header_fields import FieldFault
from secondpost.protocols.mime.issue_mail import Heading, compile_issue
from secondpost.protocols.mime.quoted_printable import TextFault
from secondpost.protocols.smtp.body import DotReader
from secondpost.protocols.tokens import KeyRing, Purpose, Ring, Token
from secondpost.protocols.verp import CONFIRMATION, Signed, parse_local_part, read
from secondpost.signing.assembly import Assembly, OwnAddresses, ReaderKeys
from simulation.signatures import verified
from tests.protocols import dkimpy_says
from tests.protocols.dkim_keys import keys

LINKS = KeyRing(Ring.LINKS, {1: b"l" * 32})
ADDRESSES = KeyRing(Ring.ADDRESSES, {1: b"a" * 32})
KEYS = ReaderKeys(keys().signing, LINKS, ADDRESSES)
BOUNCES = Domain("mx2.example.net")
WITH_WEB = OwnAddresses("https://mx2.example.net", BOUNCES)
WITHOUT_WEB = OwnAddresses(None, BOUNCES)
DATED_MS = 1_700_000_000_000
SENDER = Mailbox.parse("newsletter@example.net")
SEED = bytes(range(16))

ISSUE = Heading(
    kind=ReaderMailKind.ISSUE,
    newsletter="weekly",
    sender_name="Bloggen på nett",
    sender=SENDER,
    subject="To artikler: Grüße, 日本 & more",
    dated_ms=DATED_MS,
    list_identity="weekly.example.net",
    list_title="The Blog",
    reply_to=Mailbox.parse("me@example.net"),
    archive_url="https://mx2.example.net/weekly/",
    help_url="https://mx2.example.net/weekly/",
    language="nb",
)
ASKING = Heading(
    ReaderMailKind.CONFIRMATION, "weekly", "", SENDER, "Please confirm", DATED_MS, "weekly.example.net"
)
TEXT = f"""Grüße,  dear reader.
Two  spaces, a tab\t, a trailing space \n.\nFrom here on:
{"A long line, без конца = " * 20}

Read it at {Hole.VIEW_URL.marker}
You are {Hole.ADDRESS.marker}; what we know: {Hole.ME_URL.marker} .
Leave: {Hole.LEAVE_URL.marker}
"""
HTML = (
    "<!doctype html>\n<html><body>\n        <p>Grüße   日本 a=b</p>\n"
    f'<p><a href="{Hole.VIEW_URL.marker}">In the browser</a></p>'
    f'<p>{Hole.ADDRESS.marker} <a href="{Hole.ME_URL.marker}">me</a>{Hole.ADDRESS.marker}</p>'
    f'<a href="{Hole.LEAVE_URL.marker}">leave</a></body></html>'
)
ISSUE_FIELDS = [
    "DKIM-Signature", "DKIM-Signature", "From", "Subject", "Date", "Reply-To", "List-Id", "List-Archive",
    "List-Help", "List-Post", "Feedback-ID", "MIME-Version", "Content-Language", "Content-Type",
    "List-Unsubscribe-Post", "To", "Message-ID", "List-Unsubscribe", "CFBL-Address",
]  # fmt: skip


def issue(heading: Heading = ISSUE, text: str = TEXT, html: str = HTML) -> IssueContent:
    return compile_issue(heading, text, html, SEED)


def reader(subscriber: int = 70_001, number: int = 12, address: str = "reader@example.org") -> Addressee:
    return Addressee(subscriber, number, Mailbox.parse(address))


def parsed(mail: SignedMail) -> EmailMessage:
    message = message_from_bytes(mail.data, policy=default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def parts_of(message: EmailMessage) -> tuple[str, str]:
    """The text and the HTML, as decoded by a mail program."""
    parts = list(message.iter_parts())
    assert [part.get_content_type() for part in parts] == ["text/plain", "text/html"]
    text, html = (part.get_content().replace("\r\n", "\n") for part in parts)
    return text, html


def token_in(url: str, page: str, purpose: Purpose) -> Token | None:
    start = f"https://mx2.example.net/{page}/"
    assert url.startswith(start)
    return LINKS.read(url.removeprefix(start), purpose)


def a_local_part(dice: random.Random) -> str:
    atoms = "abcxyzABCXYZ0123456789!#$%&'*+/=?^_`{|}~-"
    if dice.random() < 0.1:
        return '"' + "".join(dice.choice(atoms + " @,:<>()") for _ in range(dice.randint(1, 60))) + '"'
    return "".join(dice.choice(atoms) for _ in range(dice.randint(1, 64)))


def a_domain(dice: random.Random) -> str:
    labels = dice.randint(1, 3)
    return ".".join("x" * dice.choice((1, 8, 55)) for _ in range(labels)) + ".example"


def test_dots_that_begin_a_line_are_doubled_for_the_wire_wherever_they_come_from() -> None:
    """In the text, and in an address so long that it is folded right before its last dot."""
    mail = Assembly(issue(), KEYS, WITH_WEB).mail_for(reader(address=f"{'l' * 64}@{'d' * 10}.example"))
    assert mail.stuffed.count(b"\r\n..\r\n") == 1
    assert mail.stuffed.count(b"\r\n..example=\r\n") == 3
    assert DotReader().content(mail.stuffed + b".\r\n") == (mail.data, b"")
    assert mail.size == len(mail.data) == len(mail.stuffed) - 4
    assert dkimpy_says.accepts(mail.data, 0, keys().txt)


def test_dkimpy_accepts_both_signatures_whoever_the_reader_is() -> None:
    dice = random.Random(500)
    characters = "abc äöü ßéЖ日👍 = & < > ' \" \\ , . @ "
    for _ in range(25):
        subject = "".join(dice.choice(characters) for _ in range(dice.randint(1, 120))).strip() or "x"
        heading = Heading(
            ReaderMailKind.ISSUE,
            "weekly",
            subject[:40],
            SENDER,
            subject,
            DATED_MS,
            "weekly.example.net",
            subject,
        )
        assembly = Assembly(issue(heading, subject + TEXT, HTML + subject), KEYS, WITH_WEB)
        for _ in range(5):
            address = f"{a_local_part(dice)}@{a_domain(dice)}"
            mail = assembly.mail_for(reader(dice.randrange(1, 1 << 40), dice.randrange(1, 5_000), address))
            assert dkimpy_says.accepts(mail.data, 0, keys().txt), address
            assert dkimpy_says.accepts(mail.data, 1, keys().txt), address
            message = parsed(mail)
            assert message["Subject"].split() == subject.split()
            assert message.get_all("To") == [address] or '"' in address
            assert max(map(len, mail.data.split(b"\r\n"))) <= 400
            leave = str(message["List-Unsubscribe"]).split(",")[0].strip("<> ")
            for part in parts_of(message):
                assert part.count(leave) == 1


def test_our_own_verifier_agrees() -> None:
    mail = Assembly(issue(), KEYS, WITH_WEB).mail_for(reader())
    found = verified(mail.data, keys().records_of, DATED_MS // 1000).dkim
    assert [each.result for each in found] == [AuthResult.PASS, AuthResult.PASS]
    assert {each.domain for each in found} == {"example.net"}


def test_the_header_has_these_fields_and_no_others() -> None:
    message = parsed(Assembly(issue(), KEYS, WITH_WEB).mail_for(reader()))
    assert message.keys() == ISSUE_FIELDS
    assert message["From"] == "Bloggen på nett <newsletter@example.net>"
    assert message["Subject"] == "To artikler: Grüße, 日本 & more"
    assert message["Date"] == "Tue, 14 Nov 2023 22:13:20 +0000"
    assert message["To"] == "reader@example.org"
    assert message["Reply-To"] == "me@example.net"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    signed = str(message.get_all("DKIM-Signature"))
    assert "list-unsubscribe-post:" in signed
    assert "list-unsubscribe:" in signed


def test_the_parts_are_the_texts_with_the_holes_filled() -> None:
    mail = Assembly(issue(), KEYS, WITH_WEB).mail_for(reader(address="a&b+c@example.org"))
    message = parsed(mail)
    text, html = parts_of(message)
    leave = str(message["List-Unsubscribe"]).split(",")[0].strip("<> ")
    me = f"https://mx2.example.net/me/{LINKS.write(Token(Purpose.ME, 70_001, 0))}"
    for part, template, address in ((text, TEXT, "a&b+c@example.org"), (html, HTML, "a&amp;b+c@example.org")):
        expected = template
        for hole, value in (
            (Hole.LEAVE_URL, leave),
            (Hole.ME_URL, me),
            (Hole.VIEW_URL, "https://mx2.example.net/weekly/12"),
            (Hole.ADDRESS, address),
        ):
            expected = expected.replace(hole.marker, value)
        assert part.rstrip("\n") == expected.rstrip("\n")


def test_what_is_in_the_links_and_addresses() -> None:
    mail = Assembly(issue(), KEYS, WITH_WEB).mail_for(reader())
    page, mailto = str(parsed(mail)["List-Unsubscribe"]).replace(" ", "").split(",")
    assert token_in(page.strip("<>"), "leave", Purpose.LEAVE) == Token(Purpose.LEAVE, 70_001, 12)
    leave = parse_local_part(Mailbox.parse(mailto.strip("<>").removeprefix("mailto:")).local)
    assert isinstance(leave, Signed)
    assert read(ADDRESSES, leave) == Token(Purpose.LEAVE_BY_MAIL, 70_001, 12)
    bounce = parse_local_part(mail.sender.local)
    assert isinstance(bounce, Signed)
    assert read(ADDRESSES, bounce) == Token(Purpose.BOUNCE, 70_001, 12)
    assert mail.sender.domain == BOUNCES


def complaints_to(message: EmailMessage) -> Mailbox:
    """The address in CFBL-Address, in the syntax of RFC 9477 §4.1: without angle brackets."""
    address, report = str(message["CFBL-Address"]).split("; ")
    assert report == "report=arf"
    return Mailbox.parse(address)


def test_a_provider_is_asked_to_report_complaints_to_an_address_of_the_reader() -> None:
    mail = Assembly(issue(), KEYS, WITH_WEB).mail_for(reader())
    message = parsed(mail)
    address = complaints_to(message)
    assert address.domain == BOUNCES
    signed = parse_local_part(address.local)
    assert isinstance(signed, Signed)
    assert read(ADDRESSES, signed) == Token(Purpose.FEEDBACK, 70_001, 12)
    for signature in message.get_all("DKIM-Signature", []):
        assert "cfbl-address" in "".join(str(signature).split()).split(";h=")[1].split(";")[0].split(":")
    forged = mail.data.replace(address.local.encode(), b"f-" + b"a" * (len(address.local) - 2))
    assert dkimpy_says.accepts(mail.data, 0, keys().txt)
    assert not dkimpy_says.accepts(forged, 0, keys().txt)


@pytest.mark.parametrize(
    ("bounces", "is_asked"),
    [("example.net", True), ("mx2.example.net", True), ("example.org", False), ("myexample.net", False)],
)
def test_complaints_are_asked_for_only_where_the_signature_counts(bounces: str, *, is_asked: bool) -> None:
    """RFC 9477 §3.1: at the domain that signs and below it; elsewhere a second signature is needed."""
    mail = Assembly(issue(), KEYS, OwnAddresses(None, Domain(bounces))).mail_for(reader())
    assert ("CFBL-Address" in parsed(mail)) is is_asked
    assert dkimpy_says.accepts(mail.data, 0, keys().txt)


def test_two_attempts_make_the_same_mail_and_two_readers_do_not() -> None:
    content = issue()
    again = Assembly(IssueContent.decode(content.encode()), KEYS, WITH_WEB)
    assembly = Assembly(content, KEYS, WITH_WEB)
    one, other = assembly.mail_for(reader()), assembly.mail_for(reader(subscriber=70_002))
    assert assembly.mail_for(reader()) == one
    assert again.mail_for(reader()) == one
    assert len({one.message_id, other.message_id}) == len({one.sender, other.sender}) == 2
    assert parsed(one)["Message-ID"] == one.message_id


def test_all_readers_get_the_same_words_but_for_their_own_links_and_address() -> None:
    """Catalogue row 4. No reader can get an issue with fewer articles than another."""
    assembly = Assembly(issue(), KEYS, WITH_WEB)

    def words(subscriber: int, address: str) -> list[str]:
        mail = assembly.mail_for(reader(subscriber=subscriber, address=address))
        pages = re.compile(r"https://mx2\.example\.net/(leave|me)/[a-z0-9]+")
        parts = parts_of(parsed(mail))
        assert all(len(set(pages.findall(part))) == 2 for part in parts)
        return [pages.sub(r"\1", part).replace(address, "address") for part in parts]

    assert words(70_001, "ada@example.org") == words(9, "bob@another.example")


def test_nobody_is_told_about_another_reader() -> None:
    assembly = Assembly(issue(), KEYS, WITH_WEB)
    assembly.mail_for(reader(address="first@example.org"))
    assert b"first@" not in assembly.mail_for(reader(address="second@example.org")).data


def test_it_is_seven_bit_with_short_lines() -> None:
    data = Assembly(issue(), KEYS, WITH_WEB).mail_for(reader()).data
    assert data.isascii()
    assert data.count(b"\n") == data.count(b"\r\n") == data.count(b"\r")
    header, _, body = data.partition(b"\r\n\r\n")
    assert max(map(len, body.split(b"\r\n"))) <= 76
    assert all(len(line) <= 78 or line.startswith(b"List-Unsubscribe: <") for line in header.split(b"\r\n"))


def test_without_web_pages_readers_leave_by_mail() -> None:
    mail = Assembly(issue(), KEYS, WITHOUT_WEB).mail_for(reader())
    message = parsed(mail)
    assert message.keys() == [name for name in ISSUE_FIELDS if name != "List-Unsubscribe-Post"]
    mailto = str(message["List-Unsubscribe"]).strip("<>")
    assert mailto.startswith("mailto:leave-")
    for part in parts_of(message):
        assert part.count(mailto) == 2  # to leave, and instead of the page about the reader
        assert "mx2.example.net/" not in part
    assert dkimpy_says.accepts(mail.data, 0, keys().txt)


def test_a_confirmation_is_answered_to_its_own_address() -> None:
    content = issue(ASKING, f"Yes: {Hole.CONFIRM_URL.marker}", f'<a href="{Hole.CONFIRM_URL.marker}">Yes</a>')
    for own in (WITH_WEB, WITHOUT_WEB):
        mail = Assembly(content, KEYS, own).mail_for(reader(number=3))
        message = parsed(mail)
        assert message.keys() == [
            "DKIM-Signature", "DKIM-Signature", "From", "Subject", "Date", "Auto-Submitted", "List-Id",
            "MIME-Version", "Content-Type", "To", "Message-ID", "Reply-To",
        ]  # fmt: skip
        answer = parse_local_part(Mailbox.parse(str(message["Reply-To"])).local)
        assert isinstance(answer, Signed)
        assert read(ADDRESSES, answer) == Token(Purpose.CONFIRM_BY_MAIL, 70_001, 3)
        url = parts_of(message)[0].strip().removeprefix("Yes: ")
        if own is WITH_WEB:
            assert token_in(url, "confirm", Purpose.CONFIRM) == Token(Purpose.CONFIRM, 70_001, 3)
        else:
            assert url == f"mailto:{message['Reply-To']}"
        bounce = parse_local_part(mail.sender.local)
        assert isinstance(bounce, Signed)
        assert read(ADDRESSES, bounce) == Token(Purpose.BOUNCE, 70_001, CONFIRMATION)
        assert dkimpy_says.accepts(mail.data, 0, keys().txt)
        assert dkimpy_says.accepts(mail.data, 1, keys().txt)


LEAVE = Hole.LEAVE_URL.marker


@pytest.mark.parametrize(
    ("text", "html", "fault"),
    [
        ("no link", f"<a>{LEAVE}</a>", "the text of the mail has 0 places"),
        (f"Hi {LEAVE}", "<p>no link</p>", "the HTML of the mail has 0 places"),
        (f"Hi {LEAVE}", f"<p>{LEAVE}{LEAVE}</p>", "the HTML of the mail has 2 places"),
        (f" \n{LEAVE}\n", f"<p>{LEAVE}</p>", "the text of the mail is empty"),
        (f"Hi {LEAVE}", f" {LEAVE}", "the HTML of the mail is empty"),
        (f"Hi {LEAVE} \ufdd0HOLE\ufdd1", f"<p>{LEAVE}</p>", "unknown hole"),
    ],
)
def test_an_issue_that_nobody_could_leave_or_read_is_refused(text: str, html: str, fault: str) -> None:
    with pytest.raises(TextFault, match=fault):
        issue(text=text, html=html)


@pytest.mark.parametrize("subject", ["", "two\nlines", "a\u2028b", "x\r\nBcc: everybody@example.org"])
def test_a_subject_that_breaks_out_is_refused(subject: str) -> None:
    with pytest.raises(FieldFault):
        issue(Heading(ReaderMailKind.ISSUE, "weekly", "", SENDER, subject, DATED_MS, "weekly.example.net"))


def test_a_foreign_or_later_format_of_content_is_refused() -> None:
    data = issue().encode()
    assert IssueContent.decode(data) == issue()
    for foreign in (data.replace(b'"version":1', b'"version":2'), b"{}", b"[]", b"", data[:-10], b"\xff"):
        with pytest.raises(ValueError, match=r"."):
            IssueContent.decode(foreign)
