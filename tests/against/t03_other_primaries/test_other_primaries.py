"""Exim and OpenSMTPD as the primary: the same two promises, with a short probe interval."""

from pathlib import Path

import pytest

from bench.ours import Secondpost
from bench.ready import free_port
from tests.against.listing import held_for_the_primary, waiting
from tests.against.primaries import OTHERS
from tests.against.sending import on_the_wire, send_many, send_with_swaks, until, until_stored
from tests.against.t01_passed_on.test_passed_on import MESSAGES, assert_under_our_fields

HELD = 50
QUICK = '[deliver]\nprobe = "1 second"\n'


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_every_message_arrives_as_it_was_sent(place: Path, name: str) -> None:
    with OTHERS[name](place) as primary, Secondpost(place / "ours", free_port(), primary.port) as secondpost:
        for number, path in enumerate(MESSAGES, start=1):
            sent = on_the_wire(path.read_bytes())
            send_with_swaks(sent, secondpost.port, place)
            until_stored(primary, number, secondpost)
            assert_under_our_fields(primary.stored()[-1], sent, path.name)


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_held_while_it_is_stopped_and_delivered_when_it_is_back(place: Path, name: str) -> None:
    with OTHERS[name](place) as primary:
        primary.stop()
        with Secondpost(place / "ours", free_port(), primary.port, QUICK) as secondpost:
            send_many(HELD, secondpost.port, place)
            until(lambda: len(held_for_the_primary(secondpost)) == HELD, 30, secondpost.trouble)
            primary.start()
            until(lambda: len(primary.stored()) >= HELD, 120, secondpost.trouble)
            until(lambda: len(waiting(secondpost)) == 0, 10, secondpost.trouble)
            assert len(primary.stored()) == HELD, "each exactly once"
