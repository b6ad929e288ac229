"""A report counts against a reader only for what it says of that reader's mail."""

import pytest

from secondpost.bounce.returned import Returned, returned_for
from secondpost.mail.address import Mailbox
from secondpost.mail.bounce_kind import BounceKind
from secondpost.protocols.dsn.notification import read_report

READER = Mailbox.parse("Reader+news@example.org")
UNKNOWN = "smtp; 550 5.1.1 User unknown"


def block(final: str, action: str, status: str, diagnostic: str = "", original: str = "") -> str:
    return (
        f"Final-Recipient: rfc822; {final}\n"
        + (f"Original-Recipient: rfc822; {original}\n" if len(original) > 0 else "")
        + f"Action: {action}\nStatus: {status}\n"
        + (f"Diagnostic-Code: {diagnostic}\n" if len(diagnostic) > 0 else "")
    )


def returned(*blocks: str, text: str = "It came back.", reader: Mailbox = READER) -> Returned | None:
    report = read_report(
        (
            'Content-Type: multipart/report; boundary="b"\n\n--b\nContent-Type: text/plain\n\n'
            f"{text}\n\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example.org\n\n"
            + "\n".join(blocks)
            + "\n--b--\n"
        ).encode()
    )
    assert report is not None
    return returned_for(reader, report)


def kind(*blocks: str, text: str = "It came back.", reader: Mailbox = READER) -> BounceKind | None:
    found = returned(*blocks, text=text, reader=reader)
    return None if found is None else found.kind


@pytest.mark.parametrize("action", ["relayed", "delivered", "expanded", "delayed"])
def test_a_reader_whose_mail_did_not_fail_is_not_counted_for_a_forward_that_did(action: str) -> None:
    forward = block("old@nowhere.example", "failed", "5.1.1", UNKNOWN)
    for reader in (
        block("reader+news@example.org", action, "2.0.0"),
        block("reader@example.org", action, "2.0.0"),
    ):
        assert kind(reader, forward) is None
        assert kind(forward, reader) is None


@pytest.mark.parametrize(
    ("status", "diagnostic", "expected"),
    [
        ("5.1.1", UNKNOWN, BounceKind.VAGUE),
        ("5.1.2", "smtp; 550 5.1.2 Domain not found", BounceKind.VAGUE),
        ("5.2.2", "smtp; 552 5.2.2 Mailbox full", BounceKind.FULL),
        ("5.7.1", "smtp; 550 5.7.1 blocked using zen.spamhaus.org", BounceKind.SENDER),
    ],
)
def test_the_dead_mailbox_of_another_is_only_a_vague_sign(
    status: str, diagnostic: str, expected: BounceKind
) -> None:
    assert kind(block("old@nowhere.example", "failed", status, diagnostic)) is expected


@pytest.mark.parametrize(
    ("final", "original"),
    [
        ("reader+news@example.org", ""),
        ("READER+news@Example.ORG", ""),
        ("<reader+news@example.org>", ""),
        ("reader@example.org", ""),
        ("reader+2Bnews@example.org", ""),
        ("reader+news@mx1.example.org", ""),
        ("reader", ""),
        ("x123@tenant.example", "reader+news@example.org"),
        ("x123@tenant.example", "Reader+2Bnews@example.org"),
    ],
)
def test_the_reader_is_found_under_each_spelling_of_the_address(final: str, original: str) -> None:
    assert kind(block(final, "failed", "5.1.1", UNKNOWN, original)) is BounceKind.DEAD


@pytest.mark.parametrize("final", ["reader@other.example", "reader@badexample.org", "news@example.org", "r"])
def test_another_address_is_not_taken_for_the_readers(final: str) -> None:
    assert kind(block(final, "failed", "5.1.1", UNKNOWN)) is BounceKind.VAGUE


def test_the_readers_own_failure_counts_before_that_of_another() -> None:
    other = block("old@nowhere.example", "failed", "5.7.1", "smtp; 550 5.7.1 blocked using spamhaus")
    assert kind(other, block("reader@example.org", "failed", "5.1.1", UNKNOWN)) is BounceKind.DEAD


def test_an_international_address_is_found_in_its_own_letters() -> None:
    reader = Mailbox.parse_utf8("jörg@example.org")
    assert kind(block("jörg@example.org", "failed", "5.1.1", UNKNOWN), reader=reader) is BounceKind.DEAD


def test_without_the_other_hosts_words_the_text_may_say_that_it_is_our_fault() -> None:
    bare = block("reader@example.org", "failed", "5.1.1")
    assert kind(bare) is BounceKind.DEAD
    assert kind(bare, text="mx said: 550 5.7.1 blocked using spamhaus") is BounceKind.SENDER
    found = returned(bare, text="mx said: 550 5.7.1 blocked using spamhaus")
    assert found == Returned(BounceKind.SENDER, "5.1.1", "mx said: 550 5.7.1 blocked using spamhaus")


def test_the_text_never_makes_a_failure_worse() -> None:
    bare = block("reader@example.org", "failed", "5.2.2")
    assert kind(bare, text="550 5.1.1 user unknown") is BounceKind.FULL
    said = block("reader@example.org", "failed", "5.1.1", UNKNOWN)
    assert kind(said, text="550 5.7.1 blocked using spamhaus") is BounceKind.DEAD


def test_the_mail_that_came_back_is_no_part_of_the_text() -> None:
    text = "Not delivered.\n\n----- Original message -----\n\nSubject: blocked using spamhaus"
    assert kind(block("reader@example.org", "failed", "5.1.1"), text=text) is BounceKind.DEAD
