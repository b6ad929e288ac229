"""AUTH (RFC 4954) as the client: the lines of one login, without I/O."""

import re
from base64 import b64encode
from collections.abc import Collection

from secondpost.mail.reply import Reply
from secondpost.protocols.sasl.credentials import Credentials, LoginFault, Salting
from secondpost.protocols.sasl.mechanisms import strongest
from secondpost.protocols.sasl.scram import ScramMechanism
from secondpost.protocols.smtp.lines import CRLF, OutOfTurn

# RFC 4954 §4: of one line, with its end; a command keeps the bound of RFC 5321 §4.5.3.1.4.
LOGIN_OCTETS_MAX = 12_288
COMMAND_OCTETS_MAX = 512

_REPEATED = re.compile(r"[A-Za-z0-9+/=]{8,}")


class LoginDialogue:
    """One login, with the strongest mechanism that is offered."""

    def __init__(self, credentials: Credentials, offered: Collection[str]) -> None:
        """Raises LoginFault if the server offers no mechanism that we have."""
        self._password = credentials.password
        self._mechanism = strongest(offered, credentials)
        self._first: bytes | None = None  # our first response, if it did not fit into the command
        self._sent: list[bytes] = []

    def begin(self) -> bytes:
        """The AUTH command, with the first response if the client speaks first and it fits.

        Raises LoginFault.
        """
        command = f"AUTH {self._mechanism.name}".encode()
        if not self._mechanism.begins:
            return command + CRLF
        first = self._mechanism.respond("")
        assert isinstance(first, bytes), "nothing is salted before the server's salt is known"
        line = self._line(first)
        if len(command) + 1 + len(line) <= COMMAND_OCTETS_MAX:
            return command + b" " + line
        self._first = first
        return command + CRLF

    def answer(self, challenge: Reply) -> bytes | Salting:
        """Our line in reply to a 334. Raises LoginFault."""
        if self._first is not None:
            response, self._first = self._first, None
            return self._line(response)
        step = self._mechanism.respond(challenge.text.strip())
        return step if isinstance(step, Salting) else self._line(step)

    def salted(self, salted_password: bytes) -> bytes:
        """Our line after a Salting."""
        if not isinstance(self._mechanism, ScramMechanism):
            raise OutOfTurn(f"{self._mechanism.name} has no salt")
        return self._line(self._mechanism.salted(salted_password))

    def end(self) -> None:
        """The server replied 235. Raises LoginFault if that proves nothing."""
        if self._first is not None:
            raise LoginFault("the server accepted the login before it heard it")
        self._mechanism.end()

    def without_secrets(self, reply: Reply) -> Reply:
        """The reply, or one without its text if that repeats what we said: it goes to the log."""
        sent = b" ".join(self._sent).decode("ascii")
        repeats = any(word in sent for word in _REPEATED.findall(reply.text))
        if repeats or self._password in reply.text:
            return Reply.of(reply.code, reply.status, "(not shown: the text repeats the login)")
        return reply

    def _line(self, response: bytes) -> bytes:
        line = b64encode(response)
        if len(line) + len(CRLF) > LOGIN_OCTETS_MAX:
            raise LoginFault(f"the login needs a line of more than {LOGIN_OCTETS_MAX} octets")
        self._sent.append(line)
        return line + CRLF
