"""Real servers send us mail, in plain text and TLS, while the primary goes down and comes back.

Each message reaches the primary once, unchanged under one Received line of the sender and two fields
of ours.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.ours import Secondpost
from bench.ready import free_port
from tests.against.listing import held_for_the_primary, waiting
from tests.against.primaries import PostfixPrimary
from tests.against.senders import SENDERS, Sender
from tests.against.sending import READER, SENDER, on_the_wire, until
from tests.against.t01_passed_on.test_passed_on import OUR_RESULTS
from tests.world.certificates import make_pair

MESSAGES_UP = 200
MESSAGES_DOWN = 200
MESSAGES_AWAY, MESSAGES_BACK = 75, 125  # the primary comes back while these are sent
SECONDS_MAX = 120.0
RECEIVED = re.compile(rb"Received: .*\r\n(?:[ \t].*\r\n)*")
NUMBER = re.compile(rb"^Subject: number (\d+)\r$", re.MULTILINE)


def message(number: int) -> bytes:
    """A unique message; some contain what is easily damaged: dots, empty lines, trailing spaces."""
    head = (
        f"From: <{SENDER}>\nTo: <{READER}>\nDate: Sat, 28 Nov 2026 10:00:00 +0000\n"
        f"Message-ID: <{number}@sender.example>\nSubject: number {number}\n"
    )
    bodies = (
        "Hello.\n",
        ".\n..\n. a dot\n.\n\n\n",
        "spaces   \n\t\n \n",
        "x" * 900 + "\n",
        "".join(f"line {line} of a longer one {'y' * 60}\n" for line in range(600)),
        "",
    )
    return on_the_wire(f"{head}\n{bodies[number % len(bodies)]}".encode())


class Matrix:
    """One sender, one Secondpost, one primary."""

    def __init__(self, sender: Sender, secondpost: Secondpost, primary: PostfixPrimary) -> None:
        self.sender = sender
        self.secondpost = secondpost
        self.primary = primary
        self.sent: list[bytes] = []

    def send(self, messages: int) -> None:
        fresh = [message(len(self.sent) + number) for number in range(messages)]
        self.sent += fresh
        self.sender.hand_over(fresh)

    def until(self, condition: Callable[[], bool]) -> None:
        until(condition, SECONDS_MAX, lambda: f"{self.sender.trouble()}\n{self.secondpost.trouble()}")

    def until_arrived(self) -> None:
        """Wait until both queues are empty and the primary has all messages."""
        self.until(lambda: self.sender.queued() == 0)
        self.until(lambda: len(list((self.primary.maildir / "new").iterdir())) >= len(self.sent))
        self.until(lambda: len(waiting(self.secondpost)) == 0)

    def check(self) -> None:
        arrived: dict[int, bytes] = {}
        for stored in self.primary.stored():
            ours = RECEIVED.match(stored)
            assert ours is not None, stored[:500]
            assert b"by mx2.example.net with " in ours[0], ours[0]
            results = OUR_RESULTS.match(stored, ours.end())
            assert results is not None, stored[:900]
            theirs = RECEIVED.match(stored, results.end())
            assert theirs is not None, stored[:500]
            number = NUMBER.search(stored)
            assert number is not None, stored[:500]
            assert int(number[1]) not in arrived, f"message {int(number[1])} came twice"
            arrived[int(number[1])] = stored[theirs.end() :]
        assert sorted(arrived) == list(range(len(self.sent)))
        assert [arrived[number] for number in range(len(self.sent))] == self.sent


@pytest.fixture(params=["clear", "tls"])
def tls(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "tls")


@pytest.fixture(params=sorted(SENDERS))
def matrix(
    request: pytest.FixtureRequest, place: Path, postfix: PostfixPrimary, tls: bool
) -> Iterator[Matrix]:
    port = free_port()
    pair = make_pair(place, "mx2.example.net")
    settings = (
        f'[deliver]\nprobe = "1 second"\n[tls]\ncertificate = "{pair.certificate}"\nkey = "{pair.key}"\n'
    )
    with (
        Secondpost(place / "ours", port, postfix.port, settings) as secondpost,
        SENDERS[request.param](place, port, tls=tls) as sender,
    ):
        yield Matrix(sender, secondpost, postfix)


def test_every_message_of_a_real_sender_arrives_once_and_unchanged(matrix: Matrix, tls: bool) -> None:
    matrix.send(MESSAGES_UP)
    matrix.until_arrived()

    matrix.primary.stop()
    matrix.send(MESSAGES_DOWN)
    matrix.until(lambda: matrix.sender.queued() == 0)
    assert len(held_for_the_primary(matrix.secondpost)) == MESSAGES_DOWN
    matrix.primary.start()
    matrix.until_arrived()

    matrix.primary.stop()
    matrix.send(MESSAGES_AWAY)
    matrix.primary.start()
    matrix.send(MESSAGES_BACK)
    matrix.until_arrived()

    matrix.check()
    with_tls = [b" with ESMTPS " in stored for stored in matrix.primary.stored()]
    assert with_tls == [tls] * len(matrix.sent)
