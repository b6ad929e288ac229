"""Judges the signatures of one message by the keys that their domains publish (RFC 6376 §6.1)."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.mail.authentication import AuthResult
from secondpost.mail.questions import Asking, Finding, Txt, TxtAnswer
from secondpost.protocols.dkim.canonical import BodyHash, CanonicalForm, Field
from secondpost.protocols.dkim.verifying import (
    DkimFault,
    Proof,
    Proves,
    PublicKey,
    Signature,
    SignatureValue,
    SignedHeader,
    parse_key,
)

RECORDS_MAX = 3  # of one name; RFC 6376 §3.6.2.2 has one, and some domains two while they change keys

_UNPROVEN = {
    Proof.INVALID: (AuthResult.FAIL, "the header was changed, or the key is another"),
    Proof.NO_KEY: (AuthResult.PERMERROR, "the key cannot be read"),
    Proof.KEY_TOO_WEAK: (AuthResult.POLICY, "the key is too short"),  # RFC 8301 §3.2
    Proof.KEY_TOO_LARGE: (AuthResult.POLICY, "the key is too large"),
}


@dataclass(frozen=True, slots=True)
class SignatureResult:
    """Of one signature; the reason is "" unless there is more to say than the result."""

    result: AuthResult
    reason: str = ""


class SignedContent:
    """The header and the body of one message, as far as its signatures cover them."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._header = SignedHeader(fields)
        self._bodies: dict[CanonicalForm, BodyHash] = {}
        self._digests: dict[CanonicalForm, bytes] = {}

    def want_body(self, form: CanonicalForm) -> None:
        """Hash the body in this form too; before its first piece."""
        self._bodies.setdefault(form, BodyHash(form))

    @property
    def wants_body(self) -> bool:
        return len(self._bodies) > 0

    def add_body(self, piece: bytes) -> None:
        for body in self._bodies.values():
            body.add(piece)

    def body_digest(self, form: CanonicalForm) -> bytes:
        """The hash of the whole body; no piece may come after it."""
        digest = self._digests.get(form)
        if digest is None:
            digest = self._digests[form] = self._bodies[form].digest()
        return digest

    def judge(self, signature: Signature, keys: "KeyRecords") -> Asking[SignatureResult]:
        digest = self.body_digest(signature.body_form)
        octets = self._bodies[signature.body_form].octets
        if signature.body_octets is not None and signature.body_octets < octets:
            # §8.2: anything may have been appended. The same as a refusal to read further, so the
            # signed part is not even hashed.
            return SignatureResult(AuthResult.POLICY, "only a part of the body is signed")
        if signature.body_octets not in (None, octets) or digest != signature.body_hash:
            return SignatureResult(AuthResult.FAIL, "the body was changed")
        digest = self._header.digest(signature.header_form, signature.names, signature.raw)
        return (yield from keys.judge(signature.value, digest))


class KeyRecords:
    """The key records that the signatures of one message need; each name is asked once."""

    def __init__(self, proves: Proves) -> None:
        self._proves = proves
        self._known: dict[str, tuple[PublicKey, ...] | SignatureResult] = {}  # by name

    def judge(self, value: SignatureValue, digest: bytes) -> Asking[SignatureResult]:
        """Judge a signature of `digest`, a SHA-256."""
        keys = self._known.get(value.key_name)
        if keys is None:
            keys = self._known[value.key_name] = _keys_in((yield from Txt(value.key_name).ask()))
        if isinstance(keys, SignatureResult):
            return keys
        judged = [self._judge(key, digest, value) for key in keys if key.algorithm is value.algorithm]
        if len(judged) == 0:
            return SignatureResult(AuthResult.PERMERROR, "the key is for another algorithm")
        return next((each for each in judged if each.result is AuthResult.PASS), judged[0])

    def _judge(self, key: PublicKey, digest: bytes, value: SignatureValue) -> SignatureResult:
        if key.is_strict and value.identity_domain != value.domain:
            return SignatureResult(AuthResult.PERMERROR, "the key is not for i= below d=")
        proof = self._proves(key, digest, value.octets)
        if proof is Proof.VALID:
            return SignatureResult(AuthResult.PASS, "the domain is testing" if key.is_testing else "")
        if key.is_testing:  # RFC 6376 §3.6.1: as if the message had no signature
            return SignatureResult(AuthResult.NEUTRAL, "the domain is testing")
        return SignatureResult(*_UNPROVEN[proof])


def _keys_in(answer: TxtAnswer) -> tuple[PublicKey, ...] | SignatureResult:
    """The keys that can be read, at least one; or why there is none."""
    if answer.finding is Finding.FAILED:
        return SignatureResult(AuthResult.TEMPERROR, "no answer from DNS for the key")
    keys: list[PublicKey] = []
    reason = "there is no such key"
    for text in answer.texts[:RECORDS_MAX]:
        try:
            keys.append(parse_key(text))
        except DkimFault as fault:
            reason = str(fault)
    return tuple(keys) if len(keys) > 0 else SignatureResult(AuthResult.PERMERROR, reason)
