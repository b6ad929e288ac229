"""Whatever the log is, memory stays flat and ordinary lines are not taken apart."""

import tracemalloc
from collections.abc import Iterator
from datetime import datetime

import pytest

from secondpost.protocols.attacks.rules import HTTP, SHELL_IN_ADDRESS
from secondpost.watch.hole import MailSoftware
from secondpost.watch.logs.blocks import BLOCK_OCTETS, LINE_OCTETS_MAX, worth_a_look
from secondpost.watch.logs.scan import LogScan
from secondpost.watch.logs.seen import LogOutcome
from secondpost.watch.logs.tally import OTHERS, LogAttempt, LogTally
from tests.watch.logs.golden import DATA

WRITTEN_MS = int(datetime(2026, 11, 30).astimezone().timestamp() * 1000)
MEBIOCTET = 1024 * 1024
MEMORY_OCTETS_MAX = 6 * MEBIOCTET  # a few blocks: what waits, what was read, one in lower case

MAIL_LINES = b"".join(
    b"Nov 29 20:05:%02d mx postfix/%s\n" % (number % 60, text)
    for number, text in enumerate(
        (
            b"smtpd[7]: connect from mail.example.org[203.0.113.7]",
            b"smtpd[7]: 4BE308994221: client=mail.example.org[203.0.113.7]",
            b"cleanup[7]: 4BE308994221: message-id=<000001d9$abcdef$9f2a@mail.example.org>",
            b"qmgr[7]: 4BE308994221: from=<some.one@example.org>, size=182, nrcpt=1 (queue active)",
            b"smtp[7]: 4BE308994221: to=<a@b.example>, relay=mx[203.0.113.7]:25, dsn=2.0.0, status=sent (ok)",
            b"qmgr[7]: 4BE308994221: removed",
            b"smtpd[7]: disconnect from mail.example.org[203.0.113.7] ehlo=1 mail=1 rcpt=1 data=1 quit=1",
        )
        * 100
    )
)


def peak_octets(pieces: Iterator[bytes]) -> tuple[int, LogScan]:
    scan = LogScan(WRITTEN_MS)
    tracemalloc.start()
    for piece in pieces:
        scan.feed(piece)
    scan.end()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak, scan


def test_of_ordinary_mail_no_line_is_taken_apart() -> None:
    assert worth_a_look(MAIL_LINES) == []


def test_memory_is_flat_in_a_log_of_mail_with_attacks_in_it() -> None:
    attacks = (DATA / "opensmtpd.log").read_bytes() + b"\n"
    piece = (MAIL_LINES * 3 + attacks)[:BLOCK_OCTETS]
    peak, scan = peak_octets(piece for _ in range(24))
    assert scan.summary.lines > 50_000
    assert scan.tally.attempts > 0
    assert peak < MEMORY_OCTETS_MAX


def test_memory_is_flat_in_a_line_of_half_a_gibioctet_and_what_follows_it_is_read() -> None:
    attack = b"2026-11-29 20:05:17 H=(x) [203.0.113.7] F=<> rejected RCPT <$(id)@x.example>: no\n"

    def pieces() -> Iterator[bytes]:
        for _ in range(2_048):
            yield b"x" * BLOCK_OCTETS
        yield b"\n" + attack

    peak, scan = peak_octets(pieces())
    assert (scan.summary.lines, scan.summary.cut, scan.tally.attempts) == (2, 1, 1)
    assert peak < MEMORY_OCTETS_MAX


def test_a_line_that_is_just_short_enough_is_read_whole() -> None:
    for more, cut in ((0, 0), (1, 1)):
        begin = b"2026-11-29 20:05:17 H=(x) [203.0.113.7] F=<> rejected RCPT <$(id)@"
        line = begin + b"a" * (LINE_OCTETS_MAX - len(begin) + more)
        scan = LogScan(WRITTEN_MS)
        scan.feed(line)
        scan.end()
        assert (scan.summary.cut, scan.summary.lines) == (cut, 1)


def test_networks_and_addresses_are_bounded() -> None:
    tally = LogTally(networks_max=100, addresses_max=500)
    for number in range(1_000):
        peer = f"2001:db8:0:{number:x}::1" if number % 2 == 0 else f"10.{number >> 8}.{number & 255}.1"
        tally.add(LogAttempt(SHELL_IN_ADDRESS, MailSoftware.EXIM, LogOutcome.REFUSED, peer, None, b"", ()))
    tally.add(LogAttempt(HTTP, MailSoftware.EXIM, LogOutcome.REFUSED, None, None, b"", ()))
    attacked, other = tally
    assert attacked.all.count == 1_000
    assert len(attacked.addresses) == 500
    assert attacked.more_addresses
    assert len(attacked.networks) == 100 + 1
    assert attacked.networks[OTHERS].count == 900
    assert list(other.networks) == [""], "attempts of unknown clients keep their place"


@pytest.mark.parametrize(
    ("begin", "again"),
    [
        ("smtpd[7]: 0123456789abcdef mda delivery evpid=0123456789abcdef from=<`id`", "> to=<> rcpt=<"),
        ("postfix/smtpd[7]: NOQUEUE: reject: RCPT from x[203.0.113.7]: 550 from=<`id`", "> to=<> from=<"),
        ("sendmail[7]: 6ATK6tl4000010: ruleset=check_rcpt, arg1=<`id`>", ", arg2=, relay=x [203.0.113.7]"),
    ],
)
def test_a_line_that_could_be_split_in_many_ways_is_read_in_one(begin: str, again: str) -> None:
    """With a pattern that tries them all, this would take hours."""
    scan = LogScan(WRITTEN_MS)
    scan.feed(f"Nov 29 20:05:14 mx {begin}{again * 500}\n".encode())
    scan.end()
    assert scan.summary.lines == 1
