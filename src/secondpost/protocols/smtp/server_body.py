"""One incoming message: its content piece by piece, or the reason for its refusal.

A refused body is still read to its end, since only there may the client get the reply (RFC 5321
§4.1.1.4).
"""

from secondpost.mail.reply import Reply
from secondpost.protocols.attacks.smuggling import SmugglingLook
from secondpost.protocols.smtp.body import DotReader, EndFinder, LineEnds, ReceivedCounter
from secondpost.protocols.smtp.server_events import Smuggling

TOO_LARGE = Reply.of(552, "5.3.4", "The message is too large")
_BARE_NEWLINES = Reply.of(550, "5.6.0", "A line of the message ends in a bare CR or LF")


class IncomingBody:
    """The body from 354 to the final dot."""

    __slots__ = (
        "_dots",
        "_finder",
        "_line_ends",
        "_received",
        "_refuse_bare_newlines",
        "_size_max",
        "_smuggling",
        "discarded",
        "refusal",
        "size",
        "smuggled",
    )

    def __init__(self, size_max: int, *, refuse_bare_newlines: bool) -> None:
        self._size_max = size_max
        self._refuse_bare_newlines = refuse_bare_newlines
        self._dots = DotReader()
        self._line_ends = LineEnds()
        self._received = ReceivedCounter()
        self._finder: EndFinder | None = None
        self.size = 0  # octets of all content returned
        self.refusal: Reply | None = None
        self.discarded = 0  # octets since the refusal
        self._smuggling = SmugglingLook()
        self.smuggled: Smuggling | None = None  # found, and not yet taken off

    @property
    def bare_newlines(self) -> int:
        return self._line_ends.bare

    @property
    def received_fields(self) -> int:
        return self._received.count

    def read(self, data: bytes) -> tuple[bytes, bytes | None]:
        """Return the next content (may be empty), and the octets after the end (or None)."""
        if self._finder is not None:
            self.discarded += len(data)
            self._look(data)
            return b"", self._finder.after(data)
        raw, after = self._dots.content(data)
        content = self._line_ends.normalized(raw)
        self._look(data if after is None else data[: len(data) - len(after)])
        return self._taken(content), after

    def refuse(self, reply: Reply) -> None:
        """Refuse the body; only the first refusal counts."""
        if self.refusal is None:
            self.refusal = reply
            self._finder = EndFinder(self._dots)

    def _look(self, data: bytes) -> None:
        octets = self._smuggling.find(data, has_odd_ends=self._line_ends.bare > 0)
        if octets is not None:
            self.smuggled = Smuggling(octets)

    def _taken(self, content: bytes) -> bytes:
        size = self.size + len(content)
        if self._line_ends.bare > 0 and self._refuse_bare_newlines:
            self.refuse(_BARE_NEWLINES)
        elif size > self._size_max:
            self.refuse(TOO_LARGE)
        else:
            self.size = size
            self._received.read(content)
            return content
        return b""
