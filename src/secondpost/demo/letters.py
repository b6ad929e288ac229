"""The letters of the story: each has content that a careless relay would change."""

from dataclasses import dataclass

AWKWARD = (
    "A line with a single dot:\r\n.\r\n..and one that begins with two.\r\n",
    "From here on, some programs would put a > before this line.\r\n",
    "Blanks at the end of the line   \r\n\tand a tab at the beginning of this one.\r\n",
    "Grüße aus Århus, ελληνικά, and an em dash — as eight-bit text.\r\n",
    "x" * 990 + "\r\n",
    "No newline was forgotten:\r\n\r\n\r\n\r\n",
)


@dataclass(frozen=True, slots=True)
class Letter:
    number: int
    sender: str
    recipient: str
    subject: str
    data: bytes  # line ends CRLF

    @property
    def key(self) -> bytes:
        """The Message-ID, which identifies the letter everywhere."""
        return f"<demo-{self.number}@{self.sender.partition('@')[2]}>".encode()


def letter(number: int, sender: str, recipient: str, subject: str) -> Letter:
    text = (
        f"Message-ID: <demo-{number}@{sender.partition('@')[2]}>\r\n"
        f"Date: Fri, 14 Aug 2026 09:{number:02}:00 +0200\r\n"
        f"From: <{sender}>\r\n"
        f"To: <{recipient}>\r\n"
        f"Subject: {subject}\r\n"
        "X-Folded: the relay must leave\r\n   this folding   as it is\r\n"
        "MIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n"
        "\r\n"
        f"Dear Ada,\r\n\r\n{AWKWARD[number % len(AWKWARD)]}\r\nYours, {sender}\r\n"
    )
    return Letter(number, sender, recipient, subject, text.encode())
