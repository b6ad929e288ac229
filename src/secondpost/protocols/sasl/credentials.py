"""What a login needs, what it may ask for, and how it ends without success."""

from dataclasses import dataclass, field
from hashlib import pbkdf2_hmac


class LoginFault(Exception):
    """This server does not go on with the login. The text is fit for the log: it has no secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    username: str
    password: str = field(repr=False)
    nonce: str = field(repr=False)  # of our side, for SCRAM: printable ASCII without a comma


@dataclass(frozen=True, slots=True)
class Salting:
    """The expensive step of SCRAM, for the driver to do elsewhere than in the event loop."""

    password: bytes = field(repr=False)
    salt: bytes
    iterations: int

    def salted_password(self) -> bytes:
        """RFC 5802 §2.2, Hi(); about a microsecond for each iteration."""
        return pbkdf2_hmac("sha256", self.password, self.salt, self.iterations)
