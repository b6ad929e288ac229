"""An SMTP reply: code, enhanced status and text (RFC 5321 §4.2, RFC 3463)."""

from dataclasses import dataclass, field

REPLY_LINE_OCTETS_MAX = 512  # RFC 5321 §4.5.3.1.5


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply. `status` is the enhanced status code, such as "4.3.1", or "" if there is none."""

    code: int
    status: str
    lines: tuple[str, ...]
    # The encoded reply, cached because most replies are sent again and again.
    _octets: bytes = field(default=b"", init=False, repr=False, compare=False)

    @classmethod
    def of(cls, code: int, status: str, text: str) -> "Reply":
        return cls(code, status, (text,))

    @property
    def is_positive(self) -> bool:
        return 200 <= self.code < 400

    @property
    def is_temporary(self) -> bool:
        return 400 <= self.code < 500

    @property
    def is_permanent(self) -> bool:
        return 500 <= self.code < 600

    @property
    def text(self) -> str:
        return " ".join(self.lines)

    def encode(self) -> bytes:
        """The reply as sent; control and non-ASCII characters become "?"."""
        if len(self._octets) == 0:
            object.__setattr__(self, "_octets", _encoded(self))
        return self._octets

    def __str__(self) -> str:
        status = f"{self.status} " if len(self.status) > 0 else ""
        return f"{self.code} {status}{self.text}"


def _encoded(reply: Reply) -> bytes:
    prefix = f"{reply.status} " if len(reply.status) > 0 else ""
    room = REPLY_LINE_OCTETS_MAX - len("250-") - len(prefix) - len("\r\n")
    texts = [prefix + _clean(line)[:room] for line in reply.lines]
    head = [f"{reply.code}-{text}\r\n" for text in texts[:-1]]
    return ("".join(head) + f"{reply.code} {texts[-1]}\r\n").encode("ascii")


def _clean(line: str) -> str:
    if line.isascii() and line.isprintable():
        return line
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in line)
