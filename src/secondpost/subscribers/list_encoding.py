"""Detect the encoding of a list from all its octets: UTF-16 by byte order mark or NUL octets, else
UTF-8, else Windows-1252.
"""

import codecs
import re
from typing import IO

from secondpost.subscribers.list_rows import NoList

PIECE_OCTETS = 256 * 1024
NOT_ONE_WAY = "it mixes several encodings: save it as UTF-8 and import it again"

_ESCAPED = re.compile("[\udc80-\udcff]")  # an octet that is not UTF-8
_BEYOND_ASCII = re.compile("[\u0080-\ud7ff\ue000-\U0010ffff]")
_UNDEFINED = re.compile(b"[\x81\x8d\x8f\x90\x9d]")  # undefined in Windows-1252
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def encoding_of(source: IO[bytes]) -> str:
    """The encoding of `source` from its current position to its end. Raises NoList if no single one
    fits.
    """
    head = source.read(PIECE_OCTETS)
    for mark, name in _UTF16.items():
        if head.startswith(mark):
            return name
    if b"\0" in head[:1000]:
        return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    is_utf8, is_other, is_windows = head.startswith(codecs.BOM_UTF8), False, True
    piece = head
    while len(piece) > 0:
        if not piece.isascii() or len(decoder.getstate()[0]) > 0:
            text = decoder.decode(piece)
            is_utf8 = is_utf8 or _BEYOND_ASCII.search(text) is not None
            is_other = is_other or _ESCAPED.search(text) is not None
            is_windows = is_windows and _UNDEFINED.search(piece) is None
        piece = source.read(PIECE_OCTETS)
    if not is_other:
        return "utf-8-sig"
    if is_utf8 or not is_windows:
        raise NoList(NOT_ONE_WAY)
    return "cp1252"
