"""Logs that are packed: by their beginning, whatever their name, in bounded pieces, as far as they go."""

import gc
import gzip
import io
import lzma
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from secondpost.watch.logs.archive import LogTorn, pieces_of
from secondpost.watch.logs.blocks import BLOCK_OCTETS
from secondpost.world.real.zstd import unpacked_by_zstd

TEXT = b"".join(b"Nov 29 20:05:14 mx postfix/smtpd[%d]: connect from unknown\n" % n for n in range(5_000))


def zstd(octets: bytes) -> bytes:
    return subprocess.run(["zstd", "-qc"], input=octets, capture_output=True, check=True).stdout


PACK: dict[str, Callable[[bytes], bytes]] = {
    "nothing": bytes,
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}


def unpacked(octets: bytes) -> bytes:
    return b"".join(pieces_of(io.BytesIO(octets).read, unpacked_by_zstd))


def as_far_as_it_goes(octets: bytes) -> tuple[bytes, str]:
    """What could be read, and the fault."""
    pieces = pieces_of(io.BytesIO(octets).read, unpacked_by_zstd)
    read: list[bytes] = []
    with pytest.raises(LogTorn) as torn:
        read.extend(pieces)  # keeps what came before the fault
    return b"".join(read), str(torn.value)


@pytest.mark.parametrize("pack", PACK)
def test_what_it_is_shows_its_beginning(pack: str) -> None:
    assert unpacked(PACK[pack](TEXT)) == TEXT


@pytest.mark.parametrize("pack", PACK)
def test_several_one_after_the_other_as_cat_makes_them(pack: str) -> None:
    assert unpacked(PACK[pack](TEXT) + PACK[pack](b"more\n")) == TEXT + b"more\n"


@pytest.mark.parametrize("pack", PACK)
def test_a_source_that_gives_an_octet_at_a_time_and_one_without_any(pack: str) -> None:
    source = io.BytesIO(PACK[pack](TEXT[:600]))
    assert b"".join(pieces_of(lambda _: source.read(1), unpacked_by_zstd)) == TEXT[:600]
    assert unpacked(b"") == b""


@pytest.mark.parametrize("pack", [name for name in PACK if name != "nothing"])
def test_a_torn_one_is_read_as_far_as_it_goes(pack: str) -> None:
    packed = PACK[pack](TEXT)
    read, fault = as_far_as_it_goes(packed[: len(packed) * 2 // 3])
    assert TEXT.startswith(read)
    assert len(read) > 0 or pack == "zstd"  # its block is the whole text
    assert "missing" in fault
    assert "stdin" not in fault


@pytest.mark.parametrize("pack", ["gzip", "xz", "zstd"])
def test_a_damaged_one_says_so(pack: str) -> None:
    packed = bytearray(PACK[pack](TEXT))
    middle = len(packed) // 2
    packed[middle : middle + 64] = bytes(64)
    _, fault = as_far_as_it_goes(bytes(packed))
    assert "damaged" in fault


@pytest.mark.parametrize("pack", PACK)
def test_a_bomb_comes_in_bounded_pieces(pack: str) -> None:
    bomb = PACK[pack](bytes(20 * BLOCK_OCTETS))
    lengths = [len(piece) for piece in pieces_of(io.BytesIO(bomb).read, unpacked_by_zstd)]
    assert sum(lengths) == 20 * BLOCK_OCTETS
    assert max(lengths) <= BLOCK_OCTETS


def test_padding_behind_and_between() -> None:
    assert unpacked(gzip.compress(b"a\n") + bytes(512) + gzip.compress(b"b\n") + bytes(7)) == b"a\nb\n"
    assert unpacked(lzma.compress(b"a\n") + bytes(8) + lzma.compress(b"b\n") + bytes(4)) == b"a\nb\n"


def test_without_the_program_zstd_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    packed = zstd(TEXT)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert as_far_as_it_goes(packed) == (
        b"",
        "is packed by zstd, and the program zstd is missing: install it, or unpack the log elsewhere",
    )


def test_a_reader_that_stops_early_leaves_no_program_behind() -> None:
    pieces = pieces_of(io.BytesIO(zstd(bytes(200 * BLOCK_OCTETS))).read, unpacked_by_zstd)
    assert len(next(pieces)) > 0
    del pieces
    gc.collect()  # a process or thread that is left would be a warning, and so a failure
