"""Verifies the DKIM signatures of a mail as a receiving server would (RFC 6376, RFC 8463).

Independent of the signing code, and only for the form used here: relaxed/relaxed, SHA-256, no
length.
"""

import base64
import re
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

_FIELD = re.compile(rb"^[^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*", re.MULTILINE)
_WHITE = re.compile(rb"[ \t]+")
_SIGNATURE_VALUE = re.compile(rb"(;\s*b=)[^;]*")

PublicKeys = dict[str, RSAPublicKey | Ed25519PublicKey]  # by selector


def public_keys(folder: Path) -> PublicKeys:
    """The public keys that the owner would publish in DNS."""
    keys: PublicKeys = {}
    for path in sorted(folder.glob("*.pem")):
        private = load_pem_private_key(path.read_bytes(), None)
        if isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
            keys[path.stem] = private.public_key()
    return keys


def signed_fields(mail: bytes, domain: str, keys: PublicKeys) -> dict[str, frozenset[str]]:
    """Algorithm to the field names covered by a valid signature of this domain."""
    head, _, body = mail.partition(b"\r\n\r\n")
    fields = _FIELD.findall(head + b"\r\n")
    found: dict[str, frozenset[str]] = {}
    for field in fields:
        if field.lower().startswith(b"dkim-signature:"):
            tags = _tags(field)
            if tags["d"] == domain and _holds(field, tags, fields, body, keys):
                found[tags["a"]] = frozenset(tags["h"].lower().split(":"))
    return found


def _tags(field: bytes) -> dict[str, str]:
    text = re.sub(r"\s", "", field.partition(b":")[2].decode("ascii"))
    return {name: value for name, _, value in (tag.partition("=") for tag in text.split(";"))}


def _holds(field: bytes, tags: dict[str, str], fields: list[bytes], body: bytes, keys: PublicKeys) -> bool:
    if base64.b64decode(tags["bh"]) != sha256(_relaxed_body(body)).digest():
        return False
    # §5.4.2: of fields with the same name the last one first; missing ones count as empty.
    left = [_relaxed(each) for each in fields]
    covered = b""
    for name in tags["h"].lower().encode().split(b":"):
        for place in reversed(range(len(left))):
            if left[place].startswith(name + b":"):
                covered += left.pop(place)
                break
    # §3.7: the signature's own field comes last, with an empty b= and no CRLF.
    covered += _relaxed(_SIGNATURE_VALUE.sub(rb"\1", field)).rstrip()
    return _proves(keys.get(tags["s"]), base64.b64decode(tags["b"]), covered)


def _proves(key: RSAPublicKey | Ed25519PublicKey | None, signature: bytes, covered: bytes) -> bool:
    try:
        match key:
            case RSAPublicKey():
                key.verify(signature, covered, PKCS1v15(), SHA256())
            case Ed25519PublicKey():
                key.verify(signature, sha256(covered).digest())  # RFC 8463 §3
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def _relaxed(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + _WHITE.sub(b" ", value.replace(b"\r\n", b"")).strip() + b"\r\n"


def _relaxed_body(body: bytes) -> bytes:
    lines = [_WHITE.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while len(lines) > 0 and lines[-1] == b"":
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)
