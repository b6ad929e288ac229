"""Verifies DKIM signatures (RFC 6376, 8301, 8463), given the keys.

Sans-IO: the caller looks up the TXT records and supplies the public key's operation. Weak
signatures (SHA-1, or l=) never pass; their reason differs from that of an invalid signature.
"""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from secondpost.protocols.dkim.canonical import (
    Field,
    relaxed_body,
    relaxed_field,
    simple_body,
    simple_field,
    split_message,
)
from secondpost.protocols.dkim.signing import Algorithm

SIGNATURES_MAX = 10  # of one message; an attacker may add more to waste our time
SIGNATURE_OCTETS_MAX = 8_192
RECORD_CHARACTERS_MAX = 4_096
CLOCK_SKEW_SECONDS = 300

_WHITE = re.compile(r"[ \t\r\n]+")
_B_VALUE = re.compile(rb"(?:^|(?<=[;:]))([ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_HEADER_FORMS = {"simple": simple_field, "relaxed": relaxed_field}
_BODY_FORMS = {"simple": simple_body, "relaxed": relaxed_body}


class DkimFault(ValueError):
    """A signature or key record that is malformed or not supported. The text is the reason."""


class DkimResult(StrEnum):
    PASS = "pass"
    FAIL = "fail"  # the message was changed, or the signature belongs to another message or key
    PERMERROR = "permerror"  # unusable, now and later
    NO_KEY = "no key"


@dataclass(frozen=True, slots=True)
class Signature:
    """A parsed DKIM-Signature field."""

    algorithm: Algorithm
    domain: str  # lower case
    selector: str
    header_form: str
    body_form: str
    names: tuple[bytes, ...]  # lower case
    body_hash: bytes
    value: bytes
    raw: bytes  # the whole field


@dataclass(frozen=True, slots=True)
class PublicKey:
    algorithm: Algorithm
    octets: bytes  # RSA: SubjectPublicKeyInfo or RSAPublicKey in DER; Ed25519: the 32 octets


@dataclass(frozen=True, slots=True)
class Verified:
    """The result for one signature; `reason` says why it did not pass."""

    finding: DkimResult
    domain: str = ""
    selector: str = ""
    reason: str = ""


KeyOf = Callable[[str, str], PublicKey | None]  # (selector, domain)
Proves = Callable[[PublicKey, bytes, bytes], bool]  # (key, SHA-256 of the signed data, signature)


def verify(message: bytes, key_of: KeyOf, proves: Proves, now_s: int) -> list[Verified]:
    """One result per signature, in order. The message has CRLF line ends."""
    fields, body = split_message(message)
    found = [field for field in fields if field.name == b"dkim-signature"]
    return [_verify(field.raw, fields, body, key_of, proves, now_s) for field in found[:SIGNATURES_MAX]]


def _verify(
    raw: bytes, fields: list[Field], body: bytes, key_of: KeyOf, proves: Proves, now_s: int
) -> Verified:
    try:
        signature = parse_signature(raw, now_s)
    except DkimFault as fault:
        return Verified(DkimResult.PERMERROR, reason=str(fault))
    domain, selector = signature.domain, signature.selector
    if sha256(_BODY_FORMS[signature.body_form](body)).digest() != signature.body_hash:
        return Verified(DkimResult.FAIL, domain, selector, "the body was changed")
    key = key_of(selector, domain)
    if key is None or key.algorithm is not signature.algorithm:
        return Verified(DkimResult.NO_KEY, domain, selector, "there is no such key")
    if not proves(key, signed_digest(signature, fields), signature.value):
        return Verified(DkimResult.FAIL, domain, selector, "the header was changed, or the key is another")
    return Verified(DkimResult.PASS, domain, selector)


def signed_digest(signature: Signature, fields: list[Field]) -> bytes:
    """The hash that is signed (§3.7). A listed name without a field adds nothing (§5.4.2)."""
    form = _HEADER_FORMS[signature.header_form]
    hashed = sha256()
    left: dict[bytes, list[bytes]] = {}
    for field in fields:
        left.setdefault(field.name, []).append(field.raw)
    for name in signature.names:
        of_name = left.get(name)
        if of_name is not None and len(of_name) > 0:
            hashed.update(form(of_name.pop()))
    own_name, colon, value = signature.raw.partition(b":")
    empty = own_name + colon + _B_VALUE.sub(rb"\1", value, count=1)
    hashed.update(form(empty).removesuffix(b"\r\n"))
    return hashed.digest()


def parse_signature(raw: bytes, now_s: int) -> Signature:
    """Parse a DKIM-Signature field. Raises DkimFault."""
    if len(raw) > SIGNATURE_OCTETS_MAX:
        raise DkimFault(f"a signature of {len(raw)} octets")
    try:
        tags = tags_of(raw.partition(b":")[2].decode("ascii"))
    except UnicodeDecodeError:
        raise DkimFault("a signature that is not ASCII") from None
    missing = [name for name in ("v", "a", "b", "bh", "d", "h", "s") if len(tags.get(name, "")) == 0]
    if len(missing) > 0:
        raise DkimFault(f"the signature has no {missing[0]}=")
    if tags["v"] != "1":
        raise DkimFault("an unknown version")
    if "l" in tags:
        raise DkimFault("a signature of a part of the body")  # §8.2
    _check_time(tags, now_s)
    try:
        algorithm = Algorithm(tags["a"].lower())
    except ValueError:
        raise DkimFault(f"signed with {tags['a']}") from None  # RFC 8301 §3.1: rsa-sha1 too
    domain = tags["d"].lower()
    identity = tags.get("i", "@" + domain).lower().rpartition("@")[2]
    if identity != domain and not identity.endswith("." + domain):
        raise DkimFault("i= is not below d=")  # §3.5
    header_form, _, body_form = tags.get("c", "simple").lower().partition("/")
    body_form = body_form if len(body_form) > 0 else "simple"
    if header_form not in _HEADER_FORMS or body_form not in _BODY_FORMS:
        raise DkimFault("an unknown canonicalization")
    names = tuple(name.strip().lower().encode("ascii") for name in tags["h"].split(":"))
    if b"from" not in names:
        raise DkimFault("From is not signed")  # §5.4
    return Signature(
        algorithm=algorithm,
        domain=domain,
        selector=tags["s"].lower(),
        header_form=header_form,
        body_form=body_form,
        names=names,
        body_hash=_base64(tags["bh"]),
        value=_base64(tags["b"]),
        raw=raw,
    )


def _check_time(tags: dict[str, str], now_s: int) -> None:
    for name in ("t", "x"):
        if name in tags and not (tags[name].isascii() and tags[name].isdigit() and len(tags[name]) <= 12):
            raise DkimFault(f"{name}= is no time")
    if "x" in tags and int(tags["x"]) + CLOCK_SKEW_SECONDS < now_s:
        raise DkimFault("the signature has expired")


def parse_key(record: str) -> PublicKey:
    """Parse the TXT record at SELECTOR._domainkey.DOMAIN (§3.6.1). Raises DkimFault."""
    if len(record) > RECORD_CHARACTERS_MAX:
        raise DkimFault(f"a key record of {len(record)} characters")
    tags = tags_of(record)
    if tags.get("v", "DKIM1") != "DKIM1":
        raise DkimFault("an unknown version")
    if len(tags.get("p", "")) == 0:
        raise DkimFault("the key was revoked")
    if "sha256" not in [name.strip() for name in tags.get("h", "sha256").split(":")]:
        raise DkimFault("the key is not for SHA-256")
    if {"*", "email"}.isdisjoint(name.strip() for name in tags.get("s", "*").split(":")):
        raise DkimFault("the key is not for mail")
    match tags.get("k", "rsa"):
        case "rsa":
            return PublicKey(Algorithm.RSA, _base64(tags["p"]))
        case "ed25519":
            return PublicKey(Algorithm.ED25519, _base64(tags["p"]))
        case kind:
            raise DkimFault(f"a key of the kind {kind}")


def tags_of(text: str) -> dict[str, str]:
    """Parse `name=value` pairs separated by semicolons (§3.2). Raises DkimFault."""
    tags: dict[str, str] = {}
    for part in text.strip(" \t\r\n").removesuffix(";").split(";"):
        name, equals, value = part.partition("=")
        name = name.strip(" \t\r\n")
        if len(equals) == 0 or _TAG_NAME.fullmatch(name) is None:
            raise DkimFault("it is no list of tags")
        if name in tags:
            raise DkimFault(f"it has {name}= twice")
        tags[name] = value.strip(" \t\r\n")
    return tags


def _base64(text: str) -> bytes:
    try:
        return base64.b64decode(_WHITE.sub("", text), validate=True)
    except ValueError:
        raise DkimFault("it has bad base64") from None
