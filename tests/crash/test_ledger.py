"""The ledger of the kill loop finds each kind of cheating."""

from secondpost.mail.queue_id import QueueId, queue_id_text
from tests.crash.ledger import Ledger, relayed

BODY = b"Message-ID: <1@a.example>\r\n\r\nhello\r\n"
ID = queue_id_text(QueueId(77))
OTHER_ID = queue_id_text(QueueId(78))


def at_the_sink(id: str, body: bytes = BODY) -> bytes:
    return (
        b"Received: from a.example (a.example [192.0.2.1])\r\n\tby mx2.example.net with ESMTP\r\n"
        b"\tid " + id.encode("ascii") + b"; Thu, 1 Jan 2026 00:00:00 +0000\r\n" + body
    )


def ledger() -> Ledger:
    books = Ledger()
    books.offer("<1@a.example>", BODY)
    books.acknowledge("<1@a.example>")
    return books


def test_what_we_added_is_taken_off() -> None:
    assert relayed(at_the_sink(ID)).queue_id == 77
    assert relayed(at_the_sink(ID)).content == BODY


def test_all_is_well_when_each_message_arrived_once() -> None:
    books = ledger()
    books.receive("<1@a.example>", at_the_sink(ID))
    assert books.faults() == []


def test_a_lost_message_is_found() -> None:
    assert ledger().missing == {"<1@a.example>"}
    assert "lost" in ledger().faults()[0]


def test_an_unacknowledged_message_may_arrive_or_not() -> None:
    books = Ledger()
    books.offer("<1@a.example>", BODY)
    assert books.faults() == []
    books.receive("<1@a.example>", at_the_sink(ID))
    assert books.faults() == []


def test_an_invented_message_is_found() -> None:
    books = Ledger()
    books.receive("<2@a.example>", at_the_sink(ID))
    assert "nobody sent it" in books.faults()[0]


def test_a_changed_message_is_found() -> None:
    books = ledger()
    books.receive("<1@a.example>", at_the_sink(ID, BODY + b"more\r\n"))
    assert "changed" in books.faults()[0]
    books.receive("<1@a.example>", BODY)
    assert "no Received line" in books.faults()[1]


def test_a_duplicate_needs_its_log_line() -> None:
    books = ledger()
    books.receive("<1@a.example>", at_the_sink(ID))
    books.receive("<1@a.example>", at_the_sink(ID))
    assert "2 times, 0 excused" in books.faults()[0]
    books.read_log(f"deliver maybe-duplicate id={ID}/1 why=swept")
    assert books.faults() == []
    books.receive("<1@a.example>", at_the_sink(ID))
    assert "3 times, 1 excused" in books.faults()[0]


def test_a_client_that_offered_twice_may_be_taken_at_its_word() -> None:
    books = ledger()
    books.receive("<1@a.example>", at_the_sink(ID))
    books.receive("<1@a.example>", at_the_sink(OTHER_ID))
    assert "under 2 ids" in books.faults()[0]
    books.offer("<1@a.example>", BODY)
    assert books.faults() == []
