"""Parses DKIM signatures and keys, and computes what was signed (RFC 6376, 8301, 8463, 8616).

Sans-IO: arrival asks for the keys, and its caller supplies the public key's operation. Weak
signatures (SHA-1, l=, a short key) never pass; their result differs from that of an invalid one.
"""

import base64
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from hashlib import sha256

from secondpost.mail.address import AddressError
from secondpost.mail.authentication import AuthResult
from secondpost.protocols.dkim.canonical import CanonicalForm, Field, relaxed_field, simple_field
from secondpost.protocols.dkim.signing import Algorithm
from secondpost.protocols.dns.names import is_name
from secondpost.protocols.smtp.international import written_domain

SIGNATURE_OCTETS_MAX = 8_192
RECORD_CHARACTERS_MAX = 4_096
CLOCK_SKEW_SECONDS = 300
BODY_OCTETS_DIGITS_MAX = 76  # RFC 6376 §3.5

_WHITE = re.compile(r"[ \t\r\n]+")
_B_VALUE = re.compile(rb"(?:^|(?<=;))([ \t\r\n]*b[ \t\r\n]*=)[^;]*")
_TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_DIGITS = re.compile(r"[0-9]+")
_FORMS = {CanonicalForm.SIMPLE: simple_field, CanonicalForm.RELAXED: relaxed_field}


class DkimFault(ValueError):
    """A signature or key record that is malformed or not supported. The text is the reason."""

    def __init__(self, reason: str, result: AuthResult = AuthResult.NEUTRAL) -> None:
        super().__init__(reason)
        self.result = result


class Proof(Enum):
    """What the operation with a public key says of a signature."""

    VALID = auto()
    INVALID = auto()
    NO_KEY = auto()  # the octets are no key of that algorithm
    KEY_TOO_WEAK = auto()
    KEY_TOO_LARGE = auto()  # verifying with it would take too long


@dataclass(frozen=True, slots=True)
class SignatureValue:
    """The value of a signature, and where its key is published."""

    algorithm: Algorithm
    domain: str  # A-labels, lower case
    selector: str
    identity_domain: str  # of i=: the domain, or one below it
    octets: bytes

    @property
    def key_name(self) -> str:
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(frozen=True, slots=True)
class Signature:
    """A parsed DKIM-Signature field, or an ARC-Message-Signature."""

    value: SignatureValue
    header_form: CanonicalForm
    body_form: CanonicalForm
    names: tuple[bytes, ...]  # lower case
    body_hash: bytes
    body_octets: int | None  # l=: so many octets of the body are signed; None: all
    raw: bytes  # the whole field


@dataclass(frozen=True, slots=True)
class PublicKey:
    algorithm: Algorithm
    octets: bytes  # RSA: SubjectPublicKeyInfo or RSAPublicKey in DER; Ed25519: the 32 octets
    is_testing: bool = field(default=False, compare=False)  # t=y
    is_strict: bool = field(default=False, compare=False)  # t=s: not for identities below the domain


Proves = Callable[[PublicKey, bytes, bytes], Proof]  # (key, SHA-256 of the signed data, signature)


class SignedHeader:
    """The fields of a header as signatures list them; each is brought into its form once."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._raw: dict[bytes, list[bytes]] = {}
        for each in reversed(fields):  # §5.4.2: of several fields the last one is signed first
            self._raw.setdefault(each.name, []).append(each.raw)
        self._formed: dict[tuple[CanonicalForm, bytes], list[bytes]] = {}

    def digest(self, form: CanonicalForm, names: Sequence[bytes], signature: bytes) -> bytes:
        """The hash that is signed (§3.7). A listed name without a field adds nothing (§5.4.2).

        `signature` is the whole field; its value does not matter.
        """
        hashed = sha256()
        left: dict[bytes, Iterator[bytes]] = {}
        own = _FORMS[form](signature)  # it was not there when it was made
        for name in names:
            if name not in left:
                left[name] = (field for field in self._fields(form, name) if field != own)
            hashed.update(next(left[name], b""))
        hashed.update(_FORMS[form](without_value(signature)).removesuffix(b"\r\n"))
        return hashed.digest()

    def _fields(self, form: CanonicalForm, name: bytes) -> list[bytes]:
        found = self._formed.get((form, name))
        if found is None:
            found = self._formed[form, name] = [_FORMS[form](raw) for raw in self._raw.get(name, [])]
        return found


def without_value(raw: bytes) -> bytes:
    """A field with an empty b= tag."""
    name, colon, value = raw.partition(b":")
    return name + colon + _B_VALUE.sub(rb"\1", value, count=1)


def signature_tags(raw: bytes) -> dict[str, str]:
    """The tags of a signature's field. Raises DkimFault."""
    if len(raw) > SIGNATURE_OCTETS_MAX:
        raise DkimFault(f"a signature of {len(raw)} octets")
    try:
        return tags_of(raw.partition(b":")[2].decode("utf-8"))
    except UnicodeDecodeError:
        raise DkimFault("a signature that is not UTF-8") from None


def parse_signature(raw: bytes, tags: Mapping[str, str], now_s: int) -> Signature:
    """Parse a DKIM-Signature field; `tags` are those of signature_tags. Raises DkimFault."""
    need_tags(tags, "v")
    if tags["v"] != "1":
        raise DkimFault("an unknown version")
    return parse_message_signature(raw, tags, identity_of(tags), now_s)


def identity_of(tags: Mapping[str, str]) -> str:
    """The domain of i=, or that of d= (§3.5)."""
    return tags.get("i", "@" + tags.get("d", "")).rpartition("@")[2]


def parse_message_signature(raw: bytes, tags: Mapping[str, str], identity: str, now_s: int) -> Signature:
    """Parse what DKIM-Signature and ARC-Message-Signature have in common. Raises DkimFault."""
    need_tags(tags, "bh", "h")
    value = parse_value(tags, identity)
    header_form, _, body_form = tags.get("c", CanonicalForm.SIMPLE).lower().partition("/")
    try:
        forms = (
            CanonicalForm(header_form),
            CanonicalForm(body_form if len(body_form) > 0 else CanonicalForm.SIMPLE),
        )
    except ValueError:
        raise DkimFault("an unknown canonicalization") from None
    names = tuple(name.strip().lower().encode("utf-8") for name in tags["h"].split(":"))
    if b"from" not in names:
        raise DkimFault("From is not signed", AuthResult.PERMERROR)  # §5.4
    body_octets = tags.get("l")
    if body_octets is not None and (
        _DIGITS.fullmatch(body_octets) is None or len(body_octets) > BODY_OCTETS_DIGITS_MAX
    ):
        raise DkimFault("l= is no number")
    check_time(tags, now_s)
    return Signature(
        value=value,
        header_form=forms[0],
        body_form=forms[1],
        names=names,
        body_hash=_base64(tags["bh"]),
        body_octets=None if body_octets is None else int(body_octets),
        raw=raw,
    )


def parse_value(tags: Mapping[str, str], identity: str) -> SignatureValue:
    """Parse a=, d=, s= and b=. `identity`: the domain that is signed for. Raises DkimFault."""
    need_tags(tags, "a", "d", "s", "b")
    try:
        algorithm = Algorithm(tags["a"].lower())
    except ValueError:
        # RFC 8301 §3.1: rsa-sha1 too.
        raise DkimFault("the algorithm is not accepted", AuthResult.POLICY) from None
    try:
        domain, identity = written_domain(tags["d"]).name, written_domain(identity).name
        selector = written_domain(tags["s"]).name
    except AddressError:
        raise DkimFault("d=, s= or i= is no domain") from None
    if identity != domain and not identity.endswith("." + domain):
        raise DkimFault("i= is not below d=", AuthResult.PERMERROR)  # §3.5
    value = SignatureValue(algorithm, domain, selector, identity, _base64(tags["b"]))
    if not is_name(value.key_name) or "[" in value.key_name:
        raise DkimFault("d= and s= are no place for a key")
    return value


def need_tags(tags: Mapping[str, str], *names: str) -> None:
    missing = [name for name in names if len(tags.get(name, "")) == 0]
    if len(missing) > 0:
        raise DkimFault(f"the signature has no {missing[0]}=")


def check_time(tags: Mapping[str, str], now_s: int) -> None:
    """Refuse expired signatures. One from the future is not: the clock of its signer is wrong."""
    times = {name: tags[name] for name in ("t", "x") if name in tags}
    for name, text in times.items():
        if _DIGITS.fullmatch(text) is None or len(text) > 12:
            raise DkimFault(f"{name}= is no time")
    if "x" in times and int(times["x"]) <= int(times.get("t", -1)):
        raise DkimFault("x= is not after t=")  # §3.5
    if "x" in times and int(times["x"]) + CLOCK_SKEW_SECONDS < now_s:
        raise DkimFault("the signature has expired", AuthResult.FAIL)


def parse_key(record: str) -> PublicKey:
    """Parse the TXT record at SELECTOR._domainkey.DOMAIN (§3.6.1). Raises DkimFault."""
    if len(record) > RECORD_CHARACTERS_MAX:
        raise DkimFault(f"a key record of {len(record)} characters")
    tags = tags_of(record)
    if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        raise DkimFault("an unknown version")
    if len(tags.get("p", "")) == 0:
        raise DkimFault("the key was revoked")
    if "sha256" not in _listed(tags, "h", "sha256"):
        raise DkimFault("the key is not for SHA-256")
    if {"*", "email"}.isdisjoint(_listed(tags, "s", "*")):
        raise DkimFault("the key is not for mail")
    kinds = {"rsa": Algorithm.RSA, "ed25519": Algorithm.ED25519}
    kind = tags.get("k", "rsa")
    if kind not in kinds:
        raise DkimFault(f"a key of the kind {kind}")
    flags = _listed(tags, "t", "")
    return PublicKey(kinds[kind], _base64(tags["p"]), is_testing="y" in flags, is_strict="s" in flags)


def _listed(tags: Mapping[str, str], name: str, default: str) -> list[str]:
    return [each.strip() for each in tags.get(name, default).split(":")]


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
