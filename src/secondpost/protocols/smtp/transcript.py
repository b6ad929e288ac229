"""Listens to an SMTP session as its client: each command with the reply to it.

Only commands that carry no secret are kept, and nothing of the content. It never disturbs the
session: what it cannot read it leaves out.
"""

from dataclasses import dataclass

from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.replies import GarbledReply, ReplyReader

DOT = "."
GREETING = ""
LOGIN = "AUTH …"
EXCHANGES_MAX = 1000
_SHOWN = ("EHLO", "HELO", "STARTTLS", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A command and its reply. The command is GREETING for the server's first words, DOT for the
    content.
    """

    command: str
    reply: Reply


class Transcript:
    """Feed it with what either side says, in order."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self._replies = ReplyReader()
        self._unanswered: list[str] = [GREETING]
        self._in_content = False

    def sent(self, data: bytes) -> None:
        if self._in_content:
            if data.endswith(b".\r\n") and (len(data) == 3 or data.endswith(b"\r\n.\r\n")):
                self._in_content = False
                self._unanswered.append(DOT)
            return
        for line in data.decode("utf-8", "replace").split("\r\n")[:-1]:
            word = line.partition(" ")[0].upper()
            self._unanswered.append(line if word in _SHOWN or line == DOT else LOGIN)

    def received(self, data: bytes) -> None:
        self._replies.receive(data)
        try:
            while (reply := self._replies.next_reply()) is not None:
                self._note(reply)
        except GarbledReply:
            self._replies.clear()

    def _note(self, reply: Reply) -> None:
        command = self._unanswered.pop(0) if len(self._unanswered) > 0 else GREETING
        if len(self.exchanges) < EXCHANGES_MAX:
            self.exchanges.append(Exchange(command, reply))
        if command == "DATA" and reply.code == 354:
            self._in_content = True
