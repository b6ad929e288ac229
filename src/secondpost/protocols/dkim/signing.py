"""Signs our own mail with DKIM (RFC 6376), with RSA (RFC 8301) and Ed25519 (RFC 8463), relaxed/relaxed.

Sans-IO: hashing is done here, the private key's operation comes in as a function, so that it can run in
another thread. No l= tag: a body that may be longer than what was signed is not signed. The fields that
readers see are oversigned: a second From added on the way breaks the signature (RFC 6376 §8.15).
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Protocol

from secondpost.mail.address import Domain
from secondpost.protocols.dkim.canonical import relaxed_body, relaxed_field, split_message

# What is signed of our own mail, where it is there. Everything that a reader or his program acts on.
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
    """What hashlib makes."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def copy(self) -> "Hash": ...


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`sign` takes the SHA-256 of what is to be signed, and gives the signature."""

    algorithm: Algorithm
    selector: str
    sign: Callable[[bytes], bytes]


class Signatures:
    """Writes the DKIM-Signature fields of mails that share their names of fields, domain and time."""

    def __init__(
        self, keys: Sequence[SigningKey], domain: Domain, signed_s: int, names: Sequence[str]
    ) -> None:
        """`names`: the fields in the order in which they are hashed; `signed_s`: seconds since 1970."""
        listed = _folded_names([*names, *OVERSIGNED])
        self._templates = [(key, *_template(key, domain, signed_s, listed)) for key in keys]

    def fields(self, header: Hash, body: bytes) -> bytes:
        """One field per key, with their CRLFs. `header` has hashed the relaxed fields; `body` is the body's
        SHA-256. Blocking: a private key is used.
        """
        body_text = base64.b64encode(body)
        written = []
        for key, raw, relaxed in self._templates:
            hashed = header.copy()
            # §3.7: the field itself comes last, its b= empty and without a line end.
            hashed.update(relaxed + body_text + b"; b=")
            signature = base64.b64encode(key.sign(hashed.digest()))
            written.append(raw + body_text + b";\r\n b=" + _folded_signature(signature) + b"\r\n")
        return b"".join(written)


def signed(message: bytes, keys: Sequence[SigningKey], domain: Domain, signed_s: int) -> bytes:
    """A whole message of ours with its signatures before it. Line ends CRLF. Blocking."""
    fields, body = split_message(message)
    header, names = sha256(), []
    for name in SIGNED:
        # §5.4.2: of several fields with one name the last one counts first.
        for field in reversed(fields):
            if field.name == name.encode("ascii"):
                names.append(name)
                header.update(relaxed_field(field.raw))
    signatures = Signatures(keys, domain, signed_s, names)
    return signatures.fields(header, sha256(relaxed_body(body)).digest()) + message


def _template(key: SigningKey, domain: Domain, signed_s: int, names: str) -> tuple[bytes, bytes]:
    """The field up to its body hash: as it is sent, and relaxed."""
    raw = (
        f"DKIM-Signature: v=1; a={key.algorithm}; c=relaxed/relaxed; d={domain.name};\r\n"
        f" s={key.selector}; t={signed_s};\r\n"
        f" h={names};\r\n"
        " bh="
    ).encode("ascii")
    return raw, relaxed_field(raw).removesuffix(b"\r\n")


def _folded_names(names: Sequence[str]) -> str:
    lines, line = [], ""
    for name in names:
        if len(line) + len(name) > LINE_CHARACTERS:
            lines.append(line)
            line = ""
        line += f"{name}:"
    lines.append(line)
    return "\r\n  ".join(lines).removesuffix(":")


def _folded_signature(signature: bytes) -> bytes:
    return b"\r\n  ".join(
        [signature[start : start + LINE_CHARACTERS] for start in range(0, len(signature), LINE_CHARACTERS)]
    )
