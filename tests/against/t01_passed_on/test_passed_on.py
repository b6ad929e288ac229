"""A real Postfix gets backup mail unchanged except for two fields of ours above it.

Each file in messages/ is a case; adding one needs no code.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.ours import Secondpost
from bench.ready import free_port
from tests.against.primaries import PostfixPrimary
from tests.against.sending import on_the_wire, send_with_swaks, until_stored

MESSAGES = sorted((Path(__file__).parent / "messages").glob("*.eml"))
OUR_LINE = re.compile(
    rb"Received: from sender\.example \(\[127\.0\.0\.1\]\)\r\n"
    rb"(?:[ \t].*\r\n)*?"
    rb"[ \t].*by mx2\.example\.net with E?SMTP id [0-9a-v]+(?:.*\r\n)(?:[ \t].*\r\n)*"
)
OUR_RESULTS = re.compile(rb"Authentication-Results: mx2\.example\.net;\r\n(?:[ \t].*\r\n)+")


@pytest.fixture
def secondpost(place: Path, postfix: PostfixPrimary) -> Iterator[Secondpost]:
    with Secondpost(place / "ours", free_port(), postfix.port) as running:
        yield running


def test_every_message_arrives_as_it_was_sent_under_two_fields_of_ours(
    place: Path, postfix: PostfixPrimary, secondpost: Secondpost
) -> None:
    assert len(MESSAGES) >= 8
    for number, path in enumerate(MESSAGES, start=1):
        sent = on_the_wire(path.read_bytes())
        send_with_swaks(sent, secondpost.port, place)
        until_stored(postfix, number, secondpost)
        assert_under_our_fields(postfix.stored()[-1], sent, path.name)


def test_a_large_message_arrives_as_it_was_sent(
    place: Path, postfix: PostfixPrimary, secondpost: Secondpost
) -> None:
    line = b"abcdefghijklmnopqrstuvwxyz0123456789" * 2 + b"\r\n"
    sent = b"Subject: large\r\n\r\n" + line * (20_000_000 // len(line))
    send_with_swaks(sent, secondpost.port, place)
    until_stored(postfix, 1, secondpost)
    assert_under_our_fields(postfix.stored()[0], sent, "large")


def assert_under_our_fields(arrived: bytes, sent: bytes, name: str) -> None:
    ours = OUR_LINE.match(arrived)
    assert ours is not None, (name, arrived[:600])
    results = OUR_RESULTS.match(arrived, ours.end())
    assert results is not None, (name, arrived[:900])
    assert arrived[results.end() :] == sent, name
