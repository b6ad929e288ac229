"""Mail for a stopped Postfix is held and listed; after its return the first arrives in a minute."""

from pathlib import Path

from bench.ours import Secondpost
from bench.ready import free_port
from tests.against.listing import held_for_the_primary, waiting
from tests.against.primaries import PostfixPrimary
from tests.against.sending import READER, SENDER, on_the_wire, send_many, send_with_swaks, until

MESSAGES = 200
FIRST_SECONDS_MAX = 60.0  # promise P4, with the default probe of 30 seconds
REST_SECONDS_MAX = 60.0
LETTER = on_the_wire(b"From: someone@sender.example\nSubject: while you were out\n\nHello.\n")


def test_held_while_the_primary_is_stopped_and_delivered_when_it_is_back(
    place: Path, postfix: PostfixPrimary
) -> None:
    with Secondpost(place / "ours", free_port(), postfix.port) as secondpost:
        send_with_swaks(LETTER, secondpost.port, place)
        until(lambda: len(postfix.stored()) == 1, 30, secondpost.trouble)

        postfix.stop()
        send_many(MESSAGES, secondpost.port, place)
        send_with_swaks(LETTER, secondpost.port, place)
        until(lambda: len(held_for_the_primary(secondpost)) == MESSAGES + 1, 30, secondpost.trouble)
        held = held_for_the_primary(secondpost)
        assert {row["recipient"] for row in held} == {READER}
        assert {row["sender"] for row in held} == {SENDER}
        assert min(row["size"] for row in held) > 0

        postfix.start()
        until(lambda: len(postfix.stored()) > 1, FIRST_SECONDS_MAX, secondpost.trouble)
        until(lambda: len(postfix.stored()) >= MESSAGES + 2, REST_SECONDS_MAX, secondpost.trouble)
        until(lambda: len(waiting(secondpost)) == 0, 10, secondpost.trouble)
        assert len(postfix.stored()) == MESSAGES + 2, "each exactly once"


def test_what_was_held_survives_our_own_restart(place: Path, postfix: PostfixPrimary) -> None:
    postfix.stop()
    port = free_port()
    with Secondpost(place / "ours", port, postfix.port) as secondpost:
        send_many(MESSAGES, port, place)
    with secondpost:
        assert len(waiting(secondpost)) == MESSAGES
        postfix.start()
        until(
            lambda: len(postfix.stored()) >= MESSAGES,
            FIRST_SECONDS_MAX + REST_SECONDS_MAX,
            secondpost.trouble,
        )
        until(lambda: len(waiting(secondpost)) == 0, 10, secondpost.trouble)
        assert len(postfix.stored()) == MESSAGES, "each exactly once"
