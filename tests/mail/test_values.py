"""Queue ids, replies, durations, sizes and header blocks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.address import NULL_PATH
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.duration import duration_text, parse_duration_ms
from secondpost.mail.envelope import Envelope
from secondpost.mail.queue_id import (
    PER_MILLISECOND_MAX,
    QUEUE_EPOCH_MS,
    QueueId,
    QueueIds,
    parse_queue_id,
    queue_id_ms,
    queue_id_text,
)
from secondpost.mail.reply import REPLY_LINE_OCTETS_MAX, Reply
from secondpost.mail.size import parse_size, size_text


@given(st.integers(0, 2**63 - 1))
def test_a_queue_id_reads_back(number: int) -> None:
    text = queue_id_text(QueueId(number))
    assert len(text) == 13
    assert parse_queue_id(text) == number
    assert parse_queue_id(text.upper()) == number


@pytest.mark.parametrize("text", ["", "0", "0" * 12, "0" * 14, "i" * 13, "z" * 13, "0000000000 00"])
def test_what_is_no_queue_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a queue id"):
        parse_queue_id(text)


@given(st.lists(st.integers(QUEUE_EPOCH_MS, QUEUE_EPOCH_MS + 10), min_size=1, max_size=50))
def test_ids_are_unique_and_rise_even_when_the_clock_steps_back(clock: list[int]) -> None:
    ids = QueueIds(worker=5)
    given_out = [ids.next(now_ms) for now_ms in clock for _ in range(40)]
    assert given_out == sorted(set(given_out))


def test_more_ids_than_a_millisecond_has_borrow_from_the_next() -> None:
    ids = QueueIds(worker=1)
    given_out = [ids.next(QUEUE_EPOCH_MS + 1000) for _ in range(PER_MILLISECOND_MAX * 2 + 1)]
    assert len(set(given_out)) == len(given_out)
    assert queue_id_ms(given_out[-1]) == QUEUE_EPOCH_MS + 1002


def test_two_workers_never_give_out_the_same_id() -> None:
    first, second = QueueIds(worker=1), QueueIds(worker=2)
    assert first.next(QUEUE_EPOCH_MS + 7) != second.next(QUEUE_EPOCH_MS + 7)


def test_a_delivery_is_id_slash_number() -> None:
    one = DeliveryId(QueueId(123456789), 3)
    assert DeliveryId.parse(str(one)) == one
    for text in ("0000000000000", "0000000000000/0", "0000000000000/x", "/1", "0000000000000/²"):
        with pytest.raises(ValueError):
            DeliveryId.parse(text)


def test_an_envelope_has_a_recipient() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Envelope(NULL_PATH, ())


def test_a_reply_of_several_lines() -> None:
    assert Reply(250, "2.0.0", ("a", "b")).encode() == b"250-2.0.0 a\r\n250 2.0.0 b\r\n"
    assert Reply.of(354, "", "go").encode() == b"354 go\r\n"


@given(st.lists(st.text(max_size=700), min_size=1, max_size=3))
def test_no_text_gets_out_of_its_reply(lines: list[str]) -> None:
    encoded = Reply(550, "5.7.1", tuple(lines)).encode()
    assert encoded.count(b"\r\n") == len(lines)
    wire = encoded.split(b"\r\n")[:-1]
    assert all(line[:3] == b"550" and len(line) + 2 <= REPLY_LINE_OCTETS_MAX for line in wire)
    assert all(32 <= octet < 127 for line in wire for octet in line)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("31 days", 2_678_400_000),
        ("1 second", 1000),
        ("15 minutes", 900_000),
        ("0 minutes", 0),
        ("2 weeks", 1_209_600_000),
    ],
)
def test_durations(text: str, milliseconds: int) -> None:
    assert parse_duration_ms(text) == milliseconds


@pytest.mark.parametrize(
    "text", ["", "31", "days", "-1 day", "1.5 days", "31 dayz", "1 month", "99999999999 days"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration_ms(text)


def test_durations_for_people() -> None:
    shown = {
        0: "0 seconds",
        1500: "1.5 seconds",
        60_000: "1 minute",
        2_678_400_000: "31 days",
        604_800_000: "1 week",
    }
    assert {milliseconds: duration_text(milliseconds) for milliseconds in shown} == shown


def test_sizes() -> None:
    assert [parse_size(text) for text in ("1 GB", "50MB", "10 kb", "7 B")] == [10**9, 50 * 10**6, 10_000, 7]
    for text in ("", "1", "GB", "-1 GB", "1.5 GB", "1 GiB"):
        with pytest.raises(ValueError, match="not a size"):
            parse_size(text)
    assert [size_text(octets) for octets in (0, 999, 52_428_800, 10**9)] == [
        "0 B",
        "999 B",
        "52.4 MB",
        "1 GB",
    ]
