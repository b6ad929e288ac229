"""Signs our own mail with DKIM (RFC 6376): RSA (RFC 8301) and Ed25519 (RFC 8463), relaxed/relaxed.

Sans-IO: hashing is done here; the operation with the private key is passed in as a function, so
that it can run in another thread. There is no l= tag, so nothing can be appended to a signed body.
Fields that readers see are oversigned: adding a second From breaks the signature (RFC 6376 §8.15).
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from secondpost.mail.address import Domain
from secondpost.protocols.dkim.canonical import relaxed_body, relaxed_field, split_message

# Header fields that are signed if present: all that a reader or a mail program acts on.
SIGNED = (
    "from", "to", "subject", "date", "reply-to", "message-id", "in-reply-to", "references", "auto-submitted",
    "list-id", "list-unsubscribe", "list-unsubscribe-post", "list-help", "list-archive", "list-post",
    "mime-version", "content-type", "content-transfer-encoding", "content-language",
)  # fmt: skip
OVERSIGNED = ("from", "to", "subject", "date", "reply-to", "content-type")
LINE_CHARACTERS = 72


class Algorithm(StrEnum):
    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


class Hash(Protocol):
    """A hash object of hashlib."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def copy(self) -> "Hash": ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key. `sign` takes the SHA-256 of the signed data and returns the signature."""

    algorithm: Algorithm
    selector: str
    sign: Callable[[bytes], bytes]


class Signatures:
    """Writes the DKIM-Signature fields of mails that share field names, domain and time."""

    def __init__(
        self, keys: Sequence[SigningKey], domain: Domain, signed_s: int, names: Sequence[str]
    ) -> None:
        """`names`: the fields in the order of hashing; `signed_s`: Unix time in seconds."""
        listed = folded_names([*names, *OVERSIGNED])
        self._templates = [(key, *_template(key, domain, signed_s, listed)) for key in keys]

    def fields(self, header: Hash, body: bytes) -> bytes:
        """One DKIM-Signature field per key, each with its CRLF.

        `header` has hashed the relaxed fields; `body` is the SHA-256 of the body. Blocking: uses
        the private keys.
        """
        body_text = base64.b64encode(body)
        written = []
        for key, raw, relaxed in self._templates:
            hashed = header.copy()
            # §3.7: the signature field itself comes last, with an empty b= and no CRLF.
            hashed.update(relaxed + body_text + b"; b=")
            signature = base64.b64encode(key.sign(hashed.digest()))
            written.append(raw + body_text + b";\r\n b=" + folded_signature(signature) + b"\r\n")
        return b"".join(written)


def signed(message: bytes, keys: Sequence[SigningKey], domain: Domain, signed_s: int) -> bytes:
    """The message with its signatures in front. Line ends are CRLF. Blocking."""
    fields, body = split_message(message)
    header, names = sha256(), []
    for name in SIGNED:
        # §5.4.2: of several fields with the same name the last one is signed first.
        for field in reversed(fields):
            if field.name == name.encode("ascii"):
                names.append(name)
                header.update(relaxed_field(field.raw))
    signatures = Signatures(keys, domain, signed_s, names)
    return signatures.fields(header, sha256(relaxed_body(body)).digest()) + message


def _template(key: SigningKey, domain: Domain, signed_s: int, names: str) -> tuple[bytes, bytes]:
    """The field up to its body hash: as sent, and in relaxed form."""
    raw = (
        f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed; d={domain.name};\r\n"
        f" s={key.selector}; t={signed_s};\r\n"
        f" h={names};\r\n"
        " bh="
    ).encode("ascii")
    return raw, relaxed_field(raw).removesuffix(b"\r\n")


def folded_names(names: Sequence[str]) -> str:
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) > LINE_CHARACTERS:
            lines.append(line)
            line = ""
        line += f"{name}:"
    lines.append(line)
    return "\r\n  ".join(lines).removesuffix(":")


def folded_signature(signature: bytes) -> bytes:
    return b"\r\n  ".join(
        [signature[start : start + LINE_CHARACTERS] for start in range(0, len(signature), LINE_CHARACTERS)]
    )
