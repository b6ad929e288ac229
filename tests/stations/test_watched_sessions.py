"""Attacks are found in real conversations, wherever the network cuts them, and no answer changes."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from secondpost.config.records import BareNewlines, Receive
from secondpost.protocols.attacks.rules import LOGIN_STORM
from tests.protocols.attack_strings import ADDRESSES, BODIES, FIRSTS, HEADERS, LINES, Seen
from tests.stations.test_receive import ENVELOPE, Client, Office, in_office

HELLO = b"EHLO client.example\r\n"
CUTS_MAX = 150  # of longer input every nth place


def pieces(data: bytes) -> list[tuple[bytes, ...]]:
    """The input whole, and cut in two at every place."""
    step = len(data) // CUTS_MAX + 1
    return [(data,), *((data[:cut], data[cut:]) for cut in range(1, len(data), step))]


def session_of(seen: Seen) -> tuple[bytes, bytes]:
    """What a client says before the attack, and the attack."""
    if seen in FIRSTS:
        return b"", seen.text
    if seen in ADDRESSES:
        return HELLO, b"MAIL FROM:<%b>\r\n" % seen.text
    if seen in LINES:
        return b"", seen.text + b"\r\n"
    ending = b"\r\n.\r\n" if seen in BODIES else b"\r\nHello.\r\n.\r\n"
    return HELLO, ENVELOPE.partition(b"\r\n")[2] + b"DATA\r\n" + seen.text + ending


def attempts(office: Office, since: int) -> Counter[str]:
    counts: Counter[str] = Counter()
    for count in office.intake.attacks[since:]:
        counts[count.rule] += count.times
    return counts


async def replies(client: Client, before: bytes, said: Sequence[bytes]) -> bytes:
    """All replies, without the ids of the messages."""
    if len(before) > 0:
        await client.say(before)
    out = b""
    for piece in said:
        if not client.wire.closed:
            await client.say(piece)
            out += client.wire.out
    return out.partition(b"queued as")[0]


@pytest.mark.parametrize(
    "seen",
    [*ADDRESSES, *LINES, *FIRSTS, *HEADERS, *BODIES],
    ids=lambda seen: seen.text[:24].decode("latin-1"),
)
def test_an_attack_is_found_wherever_it_is_cut(tmp_path: Path, seen: Seen) -> None:
    async def story(office: Office) -> None:
        before, attack = session_of(seen)
        expected: Counter[str] = Counter()
        answer = b""
        for said in pieces(attack):
            since = len(office.intake.attacks)
            client = office.call()
            await client.settle()
            answered = await replies(client, before, said)
            client.hang_up()
            await office.attacks.write()
            found = attempts(office, since)
            del found[LOGIN_STORM.id]  # the cuts make one of many logins
            if len(said) == 1:
                expected, answer = found, answered
                assert sum(found.values()) > 0
            assert found == expected, said
            assert answered == answer, said

    in_office(tmp_path, story, 10_000.0, receive=Receive(bare_newlines=BareNewlines.NORMALIZE))
