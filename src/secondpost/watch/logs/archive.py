"""The octets of a log that may be compressed, piece by piece. What it is shows its beginning, not its
name. A piece has at most a bounded length, however much the octets expand.
"""

import lzma
import zlib
from collections.abc import Callable, Iterator

from secondpost.watch.logs.blocks import BLOCK_OCTETS

LogOctets = Callable[[int], bytes]  # at most so many octets; none at the end
Unpack = Callable[[LogOctets], Iterator[bytes]]

GZIP, XZ, ZSTD = b"\x1f\x8b", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd"
BEGINNING_OCTETS = 6
GZIP_WINDOW_BITS = 31  # zlib's number for: with a gzip header, 32 KiB
XZ_MEMORY_OCTETS_MAX = 128 * 1024 * 1024  # xz -9 needs 65 MiB


class LogTorn(Exception):
    """The octets end too early or are damaged; the text follows the name of the log."""


def pieces_of(read: LogOctets, of_zstd: Unpack) -> Iterator[bytes]:
    """The octets, unpacked. Raises LogTorn behind those that could be read, and what `read` raises."""
    begun = _beginning(read)
    again = _read_again(begun, read)
    if begun.startswith(GZIP):
        yield from _gunzipped(again)
    elif begun.startswith(XZ):
        yield from _unxzed(again)
    elif begun.startswith(ZSTD):
        yield from of_zstd(again)
    else:
        yield from _all(again)


def _beginning(read: LogOctets) -> bytes:
    begun = b""
    while len(begun) < BEGINNING_OCTETS:  # a pipe may give less than it is asked for
        piece = read(BEGINNING_OCTETS - len(begun))
        if len(piece) == 0:
            break
        begun += piece
    return begun


def _read_again(begun: bytes, read: LogOctets) -> LogOctets:
    """Reads what was read already, then on."""
    kept = [begun]

    def reading(octets_max: int) -> bytes:
        return kept.pop() if len(kept) > 0 else read(octets_max)

    return reading


def _all(read: LogOctets) -> Iterator[bytes]:
    while len(piece := read(BLOCK_OCTETS)) > 0:
        yield piece


def _gunzipped(read: LogOctets) -> Iterator[bytes]:
    """All members one after the other, as gzip -dc gives them; zeros between and behind them are padding."""
    unpacker = zlib.decompressobj(GZIP_WINDOW_BITS)
    packed = read(BLOCK_OCTETS)
    while len(packed) > 0 or len(packed := read(BLOCK_OCTETS)) > 0:
        if unpacker.eof:
            packed = packed.lstrip(b"\0")
            if len(packed) == 0:
                continue
            unpacker = zlib.decompressobj(GZIP_WINDOW_BITS)
        try:
            piece = unpacker.decompress(packed, BLOCK_OCTETS)
        except zlib.error as error:
            raise LogTorn(f"is damaged: what gzip packed cannot be unpacked further ({error})") from None
        packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        if len(piece) > 0:
            yield piece
    if not unpacker.eof:
        raise LogTorn("ends in the middle of what gzip packed: a part of it is missing")


def _unxzed(read: LogOctets) -> Iterator[bytes]:
    """All streams one after the other; zeros between and behind them are padding."""
    unpacker = _xz()
    packed = read(BLOCK_OCTETS)
    while len(packed) > 0 or not unpacker.needs_input or len(packed := read(BLOCK_OCTETS)) > 0:
        if unpacker.eof:
            packed = packed.lstrip(b"\0")
            if len(packed) == 0:
                packed = read(BLOCK_OCTETS)
                if len(packed) == 0:
                    return
                continue
            unpacker = _xz()
        try:
            piece = unpacker.decompress(packed, BLOCK_OCTETS)
        except lzma.LZMAError as error:
            raise LogTorn(f"is damaged: what xz packed cannot be unpacked further ({error})") from None
        packed = unpacker.unused_data if unpacker.eof else b""
        if len(piece) > 0:
            yield piece
    if not unpacker.eof:
        raise LogTorn("ends in the middle of what xz packed: a part of it is missing")


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, XZ_MEMORY_OCTETS_MAX)
