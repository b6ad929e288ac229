"""The rules of the body code, implemented in the slow and obvious way: one octet at a time."""


def plain_body(raw: bytes) -> tuple[bytes, bytes] | None:
    """The content up to CRLF.CRLF without dot-stuffing, and the octets after the end.

    The first line counts as preceded by CRLF. Line ends are unchanged. None if there is no end.
    """
    content = bytearray()
    line_begins = True
    at = 0
    while at < len(raw):
        if line_begins and raw.startswith(b".\r\n", at):
            return bytes(content), raw[at + 3 :]
        if line_begins and raw.startswith(b".", at):
            at += 1
            line_begins = False
            continue
        line_begins = raw.startswith(b"\r\n", at)
        octets = 2 if line_begins else 1
        content += raw[at : at + octets]
        at += octets
    return None


def with_crlf(content: bytes) -> tuple[bytes, int]:
    """Convert line ends to CRLF, and count the others. A run of CRs, LF or not, is one line end."""
    text = bytearray()
    bare = 0
    at = 0
    while at < len(content):
        end = at
        while end < len(content) and content[end : end + 1] == b"\r":
            end += 1
        if content[end : end + 1] == b"\n":
            end += 1
        if end == at:
            text += content[at : at + 1]
            at += 1
            continue
        text += b"\r\n"
        bare += content[at:end] != b"\r\n"
        at = end
    return bytes(text), bare
