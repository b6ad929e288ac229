"""What can be read off the bytes of a message without parsing it: its header block, found and counted.

Nothing here changes a byte: the signatures of relayed mail must survive (promise P5).
"""

HEADER_OCTETS_MAX = 256 * 1024  # how far into a message we look for the end of its header
_END_OF_HEADER = b"\r\n\r\n"


def header_block(start: bytes) -> bytes:
    """The header fields, without the empty line; all of `start` when it has none. CRLF line ends."""
    if start.startswith(b"\r\n"):
        return b""
    end = start.find(_END_OF_HEADER, 0, HEADER_OCTETS_MAX)
    return start[: end + 2] if end >= 0 else start[:HEADER_OCTETS_MAX]


def field_count(block: bytes, name: bytes) -> int:
    """How many fields of that name a header block has; `name` in lower case, without the colon."""
    lowered = block.lower()
    at_start = 1 if lowered.startswith(name + b":") else 0
    return at_start + lowered.count(b"\r\n" + name + b":")


def field_value(block: bytes, name: bytes) -> bytes | None:
    """The first field of that name, unfolded and stripped; None when there is none."""
    lowered = b"\r\n" + block.lower()
    at = lowered.find(b"\r\n" + name + b":")
    if at < 0:
        return None
    start = at + len(name) + 1
    end = start
    while True:
        end = block.find(b"\r\n", end)
        if end < 0:
            end = len(block)
            break
        if block[end + 2 : end + 3] not in (b" ", b"\t"):
            break
        end += 2
    return block[start:end].replace(b"\r\n", b"").strip()
