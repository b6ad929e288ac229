"""The mechanisms of a login, from the strongest: SCRAM-SHA-256, PLAIN (RFC 4616) and LOGIN.

LOGIN is no standard, but all that some providers offer (draft-murchison-sasl-login).
"""

from collections import deque
from collections.abc import Collection

from secondpost.protocols.sasl.credentials import Credentials, LoginFault
from secondpost.protocols.sasl.scram import ScramMechanism

NAMES_SHOWN_MAX = 10


class OpenMechanism:
    """PLAIN or LOGIN: what we say does not depend on what the server asks, and has the password."""

    def __init__(self, name: str, responses: tuple[str, ...], *, begins: bool) -> None:
        """`begins`: the client speaks first."""
        self.name = name
        self.begins = begins
        # As they are: it is the server that prepares them (RFC 4616 §2), and many compare octets.
        self._responses = deque(response.encode() for response in responses)

    def respond(self, challenge: str) -> bytes:
        """The next response. The text of a challenge is ignored, as the draft of LOGIN asks: some
        servers ask for "Username:", some for "User Name", some for nothing. Raises LoginFault.
        """
        if len(self._responses) == 0:
            raise LoginFault(f"the server asks for more than {self.name} has to say")
        return self._responses.popleft()

    def end(self) -> None:
        """The server says that the login succeeded. Raises LoginFault if it has not heard it all."""
        if len(self._responses) > 0:
            raise LoginFault(f"the server accepted {self.name} before it heard the password")


Mechanism = ScramMechanism | OpenMechanism


def strongest(offered: Collection[str], credentials: Credentials) -> Mechanism:
    """The strongest mechanism that the server offers. Raises LoginFault if there is none."""
    username, password = credentials.username, credentials.password
    if "SCRAM-SHA-256" in offered:
        return ScramMechanism(credentials)
    if "PLAIN" in offered:
        return OpenMechanism("PLAIN", (f"\0{username}\0{password}",), begins=True)
    if "LOGIN" in offered:
        return OpenMechanism("LOGIN", (username, password), begins=False)
    if len(offered) == 0:
        raise LoginFault("the server offers no login")
    names = ", ".join(sorted(offered)[:NAMES_SHOWN_MAX])
    raise LoginFault(f"the server offers no login that this version has, only {names}")
