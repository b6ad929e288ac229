"""Seals a message with a further ARC set (RFC 8617 §5.1), without reading its body again.

Sans-IO: what must be known of the arrival is SealMaterial; the private key's operation comes with the
key. The same material, header, key and time give the same octets.
"""

import base64
from collections.abc import Sequence

from secondpost.mail.address import Domain
from secondpost.mail.authentication import AuthResult, SealMaterial
from secondpost.protocols.dkim.arc import read_chain, seal_digests
from secondpost.protocols.dkim.canonical import CanonicalForm, Field, fields_of
from secondpost.protocols.dkim.signing import SIGNED, SigningKey, folded_names, folded_signature
from secondpost.protocols.dkim.verifying import DkimFault, SignedHeader

# ARC fields stand in seals, and Authentication-Results may be removed on the way (§4.1.2).
COVERED = (*SIGNED, "cc", "sender", "dkim-signature")
COVERED_FIELDS_MAX = 200  # an attacker may send thousands of one name


def arc_set(material: SealMaterial, header: bytes, key: SigningKey, domain: Domain, sealed_s: int) -> bytes:
    """The three fields, to stand above the header. Blocking: uses the private key twice.

    `header`: all fields as they are sent. Raises DkimFault if its ARC sets are not those of arrival.
    """
    fields = fields_of(header)
    before = _sets_before(material, fields, sealed_s)
    start = f"i={material.instance}; a={key.algorithm}"
    where = f"d={domain.name}; s={key.selector};"
    results = f"ARC-Authentication-Results: i={material.instance}; {material.results}\r\n".encode()
    message_signature = _message_signature(material, fields, key, f"{start}; t={sealed_s};\r\n {where}")
    seal = f"ARC-Seal: {start}; t={sealed_s}; cv={material.status};\r\n {where}\r\n b=".encode()
    *_, digest = seal_digests([*before, (results, message_signature, seal)])
    return seal + _value(key, digest) + message_signature + results


def _sets_before(
    material: SealMaterial, fields: Sequence[Field], sealed_s: int
) -> list[tuple[bytes, bytes, bytes]]:
    """The sets that the seal signs too: none of a broken chain (§5.1.2)."""
    if material.status is AuthResult.FAIL:
        return []
    chain = read_chain(fields, sealed_s)
    if chain.fault is not None or chain.next_instance != material.instance:
        raise DkimFault("the message has other ARC sets than on arrival")
    return [each.raw for each in chain.sets]


def _message_signature(material: SealMaterial, fields: Sequence[Field], key: SigningKey, start: str) -> bytes:
    names = [name for name in COVERED for field in fields if field.name == name.encode()]
    names = [*names[:COVERED_FIELDS_MAX], "from"]  # a From more than there are: none can be added
    body_hash = base64.b64encode(material.body_hash).decode("ascii")
    raw = (
        f"ARC-Message-Signature: {start} c=relaxed/relaxed;\r\n"
        f" h={folded_names(names)};\r\n"
        f" bh={body_hash};\r\n"
        " b="
    ).encode("ascii")
    digest = SignedHeader(fields).digest(CanonicalForm.RELAXED, [name.encode() for name in names], raw)
    return raw + _value(key, digest)


def _value(key: SigningKey, digest: bytes) -> bytes:
    return folded_signature(base64.b64encode(key.sign(digest))) + b"\r\n"
