"""SCRAM-SHA-256 (RFC 5802, RFC 7677): the password itself never reaches the server.

The server must prove that it knows the password too. There is no channel binding: TLS comes from
another library, and what it would bind is not passed to here.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from enum import Enum, auto

from secondpost.protocols.sasl.credentials import Credentials, LoginFault, Salting
from secondpost.protocols.sasl.saslprep import CannotPrepare, prepared

ITERATIONS_MIN = 4096  # RFC 7677 §4; fewer make a stolen database of the server easy to read
ITERATIONS_MAX = 1_000_000  # about a second of one processor, for a server that we do not trust
NONCE_CHARACTERS_MAX = 1024  # of both sides together
SALT_OCTETS_MAX = 1024

_NO_BINDING = "n,,"  # the header of GS2: no channel binding, no other identity
_BOUND_TO = b64encode(_NO_BINDING.encode()).decode()


class _Step(Enum):
    FIRST = auto()  # our first message is to be sent
    CHALLENGE = auto()  # the server's nonce, salt and iterations are awaited
    SALTING = auto()
    SIGNATURE = auto()  # the server's proof is awaited
    PROVED = auto()
    REFUSED = auto()  # the reply that ends the login is awaited


class ScramMechanism:
    name = "SCRAM-SHA-256"
    begins = True  # the client speaks first

    def __init__(self, credentials: Credentials) -> None:
        """Raises LoginFault if SCRAM cannot carry the name or the password."""
        self._password = _prepared("password", credentials.password).encode()
        name = _prepared("username", credentials.username).replace("=", "=3D").replace(",", "=2C")
        self._nonce = credentials.nonce
        self._first = f"n={name},r={credentials.nonce}"
        self._step = _Step.FIRST
        self._said = ""  # the AuthMessage of RFC 5802 §3, but for its last part
        self._last = ""  # our last message without the proof
        self._signature = b""  # of the server, as it has to be

    def respond(self, challenge: str) -> bytes | Salting:
        """The response to a challenge in base64. Raises LoginFault."""
        match self._step:
            case _Step.FIRST:
                self._step = _Step.CHALLENGE
                return (_NO_BINDING + self._first).encode()
            case _Step.CHALLENGE:
                return self._salting(_decoded(challenge))
            case _Step.SIGNATURE:
                self._verify(_decoded(challenge))
                return b""
            case _:
                raise LoginFault(f"the server asks for more than {self.name} has to say")

    def salted(self, salted_password: bytes) -> bytes:
        """Our proof, RFC 5802 §3."""
        said = f"{self._said},{self._last}".encode()
        client_key = _hmac(salted_password, b"Client Key")
        client_signature = _hmac(hashlib.sha256(client_key).digest(), said)
        proof = bytes(a ^ b for a, b in zip(client_key, client_signature, strict=True))
        self._signature = _hmac(_hmac(salted_password, b"Server Key"), said)
        self._step = _Step.SIGNATURE
        return f"{self._last},p={b64encode(proof).decode()}".encode()

    def end(self) -> None:
        """The server says that the login succeeded. Raises LoginFault if it has proved nothing."""
        if self._step is not _Step.PROVED:
            raise LoginFault("the server did not prove that it knows the password")

    def _salting(self, challenge: str) -> Salting:
        nonce, salt, iterations = _parts_of(challenge)
        if not nonce.startswith(self._nonce) or not len(self._nonce) < len(nonce) <= NONCE_CHARACTERS_MAX:
            raise LoginFault(f"the server's nonce for {self.name} is not an answer to ours")
        if not 0 < len(salt) <= SALT_OCTETS_MAX:
            raise LoginFault(f"the server's salt for {self.name} has {len(salt)} octets")
        if not ITERATIONS_MIN <= iterations <= ITERATIONS_MAX:
            bounds = f"{ITERATIONS_MIN} to {ITERATIONS_MAX} are accepted"
            raise LoginFault(f"the server wants {iterations} iterations of {self.name}; {bounds}")
        self._said = f"{self._first},{challenge}"
        self._last = f"c={_BOUND_TO},r={nonce}"
        self._step = _Step.SALTING
        return Salting(self._password, salt, iterations)

    def _verify(self, final: str) -> None:
        if final.startswith("e="):
            self._step = _Step.REFUSED  # the reply follows, in words
            return
        proof = _octets(final.partition(",")[0].removeprefix("v="))
        if not final.startswith("v=") or not hmac.compare_digest(proof, self._signature):
            raise LoginFault("the server could not prove that it knows the password")
        self._step = _Step.PROVED


def _prepared(what: str, text: str) -> str:
    try:
        return prepared(text)
    except CannotPrepare as fault:
        raise LoginFault(f"the {what} cannot be used: {fault}") from None


def _parts_of(challenge: str) -> tuple[str, bytes, int]:
    """Nonce, salt and iterations. Attributes after them may be ignored, one before them (`m=`) not."""
    attributes = challenge.split(",")
    if [attribute[:2] for attribute in attributes[:3]] != ["r=", "s=", "i="]:
        raise LoginFault("the server's challenge is not one of SCRAM-SHA-256")
    nonce, salt, iterations = (attribute[2:] for attribute in attributes[:3])
    if not (iterations.isascii() and iterations.isdigit() and len(iterations) <= 10):
        raise LoginFault("the server's number of iterations is not a number")
    return nonce, _octets(salt), int(iterations)


def _decoded(challenge: str) -> str:
    try:
        text = _octets(challenge).decode("utf-8")
    except UnicodeDecodeError:
        raise LoginFault("the server's challenge is not text") from None
    if not text.isprintable():
        raise LoginFault("the server's challenge is not printable")
    return text


def _octets(base64: str) -> bytes:
    try:
        return b64decode(base64, validate=True)
    except (NotBase64, ValueError):  # ValueError: not ASCII
        raise LoginFault("the server's challenge is not base64") from None


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.digest(key, text, "sha256")
