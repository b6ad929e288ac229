"""A register of any size is searched with the same memory: a hundred megabytes in the long form."""

import sys
import tracemalloc
from collections.abc import Iterator

from secondpost.mail.register import RegisterAsked, RegisterRead
from secondpost.watch.reach.register import RegisterSearch

PIECE_OCTETS = 64 * 1024
MEMORY_OCTETS_MAX = 500_000
SHORT_OCTETS, LONG_OCTETS = 1_500_000, 100_000_000
FILES = 20
ASKED = RegisterAsked(("192.0.2.25", "2001:db8::25"), ("mx1.provider.example", "mail.example.net"))
OURS = "192.0.2.0/24;;;Роскомнадзор;27-31-2019;2019-02-25\n".encode("cp1251")


def file_of(octets: int, number: int) -> Iterator[bytes]:
    """A file of so many octets in pieces, with one line of ours at its end."""
    yield b"Updated: 2029-01-05 09:00:00 +0000\n" if number == 0 else b""
    rest = '"http://casino.example/?a=1|2;b | https://casino.example/";ФНС;2-6-27/ 2016-АИ;2016-05-20'
    written = (f"198.51.{n % 256}.7 | 203.0.{n % 256}.0/24;casino{n}.example;{rest}\n" for n in range(500))
    lines = "".join(written).encode("cp1251")
    for _ in range(octets // len(lines)):
        for start in range(0, len(lines), PIECE_OCTETS):
            yield lines[start : start + PIECE_OCTETS]
    yield OURS


def searched(octets: int) -> tuple[RegisterRead, int]:
    """What was found in a register of so many octets, and the most memory that the search took."""
    search = RegisterSearch(ASKED)
    tracemalloc.start()
    try:
        for number in range(FILES):
            for piece in file_of(octets // FILES, number):
                search.feed(piece)
            search.end_file()
        return search.read(), tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_register() -> None:
    found, peak = searched(SHORT_OCTETS)
    assert (found.files, len(found.hits)) == (FILES, 1)
    assert peak < MEMORY_OCTETS_MAX


if __name__ == "__main__":
    found, peak = searched(LONG_OCTETS)
    print(f"{found.lines:,} lines, {len(found.hits)} hit, {peak:,} octets of memory at most")
    sys.exit(0 if peak < MEMORY_OCTETS_MAX else 1)
