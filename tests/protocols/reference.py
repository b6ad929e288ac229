"""The same rules as the body code, written the slow and obvious way: one octet at a time."""


def plain_body(raw: bytes) -> tuple[bytes, bytes] | None:
    """Cut at CRLF.CRLF (the first line counts as standing after one), dots of transparency removed.
    The content with its line ends as they came, and what follows the end; None: there is no end.
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
    """Every line end made CRLF, and how many were not. CRs in a row, LF or not, are one line end."""
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
