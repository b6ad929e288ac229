"""Validates the ARC chain of a message (RFC 8617 §5.2)."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from secondpost.mail.authentication import ArcFound, AuthResult
from secondpost.mail.questions import Asking
from secondpost.protocols.dkim.canonical import CanonicalForm, Field, relaxed_field
from secondpost.protocols.dkim.signed_content import KeyRecords, SignatureResult, SignedContent
from secondpost.protocols.dkim.verifying import (
    DkimFault,
    Signature,
    SignatureValue,
    check_time,
    parse_message_signature,
    parse_value,
    signature_tags,
    without_value,
)

INSTANCE_MAX = 50  # RFC 8617 §4.2.1
OLDER_JUDGED_MAX = 10  # message signatures below the newest: nothing depends on them, and each takes a key

RESULTS = b"arc-authentication-results"
MESSAGE_SIGNATURE = b"arc-message-signature"
SEAL = b"arc-seal"
ARC_NAMES = frozenset({RESULTS, MESSAGE_SIGNATURE, SEAL})
_INSTANCE_TAG = re.compile(rb"[ \t\r\n]*i[ \t\r\n]*=[ \t\r\n]*([0-9]{1,2})[ \t\r\n]*;", re.IGNORECASE)
_INSTANCE = re.compile(r"[0-9]{1,2}")
_STATUS = {"none": AuthResult.NONE, "pass": AuthResult.PASS, "fail": AuthResult.FAIL}


@dataclass(frozen=True, slots=True)
class Seal:
    """A parsed ARC-Seal field."""

    value: SignatureValue
    status: AuthResult  # cv=: what its signer found of the sets before
    raw: bytes


@dataclass(frozen=True, slots=True)
class ArcSet:
    """The three fields of one instance. `signature` is None if it cannot be read, or has expired."""

    results: bytes  # ARC-Authentication-Results, the whole field
    message_signature: bytes  # the whole field
    signature: Signature | None
    seal: Seal

    @property
    def raw(self) -> tuple[bytes, bytes, bytes]:
        return self.results, self.message_signature, self.seal.raw


@dataclass(frozen=True, slots=True)
class ArcChain:
    """The sets, oldest first. With a fault there are none."""

    sets: tuple[ArcSet, ...] = ()
    fault: str | None = None
    next_instance: int | None = 1  # of a further set; None if there may be none

    def forms(self) -> set[CanonicalForm]:
        """The forms of the body that its signatures need."""
        return {each.signature.body_form for each in self.sets if each.signature is not None}


@dataclass(frozen=True, slots=True)
class _ArcField:
    """A field of a set; `tags` are empty in the results, which have none."""

    field: Field
    instance: int
    tags: Mapping[str, str]


def read_chain(fields: Sequence[Field], now_s: int) -> ArcChain:
    found = [field for field in fields if field.name in ARC_NAMES]
    if len(found) > len(ARC_NAMES) * INSTANCE_MAX:
        return ArcChain((), f"more than {INSTANCE_MAX} sets", None)
    numbered: list[_ArcField] = []
    fault: DkimFault | None = None
    for field in found:
        try:
            numbered.append(_arc_field(field))
        except DkimFault as unreadable:
            fault = unreadable
    try:
        if fault is not None:
            raise fault
        return ArcChain(_sets(numbered, now_s), None, _next_instance(numbered))
    except DkimFault as fault:
        return ArcChain((), str(fault), _next_instance(numbered))


def _arc_field(field: Field) -> _ArcField:
    """With its i=, which is a tag everywhere but in the results (§4.2.1). Raises DkimFault."""
    if field.name == RESULTS:
        tags: dict[str, str] = {}
        at_start = _INSTANCE_TAG.match(field.raw.partition(b":")[2])
        number = 0 if at_start is None else int(at_start[1])
    else:
        tags = signature_tags(field.raw)
        number = int(tags["i"]) if _INSTANCE.fullmatch(tags.get("i", "")) is not None else 0
    if not 1 <= number <= INSTANCE_MAX:
        raise DkimFault("a field without an instance")
    return _ArcField(field, number, tags)


def _next_instance(found: Sequence[_ArcField]) -> int | None:
    """The instance above all that can be read; none after a seal that says cv=fail (§5.1)."""
    if any(each.field.name == SEAL and each.tags.get("cv", "").lower() == "fail" for each in found):
        return None
    highest = max((each.instance for each in found), default=0)
    return highest + 1 if highest < INSTANCE_MAX else None


def check_chain(chain: ArcChain, content: SignedContent, keys: KeyRecords) -> Asking[ArcFound]:
    """§5.2: the structure, the newest message signature, then all seals from the newest on."""
    if chain.fault is not None:
        return ArcFound(AuthResult.FAIL, reason=chain.fault)
    if len(chain.sets) == 0:
        return ArcFound(AuthResult.NONE)
    judged = yield from _judge(chain.sets, content, keys)
    passes = judged.result is AuthResult.PASS
    return ArcFound(
        judged.result,
        len(chain.sets),
        tuple(each.seal.value.domain for each in chain.sets),
        judged.reason,
        (yield from _oldest_pass(chain.sets, content, keys)) if passes else 0,
    )


def _judge(sets: Sequence[ArcSet], content: SignedContent, keys: KeyRecords) -> Asking[SignatureResult]:
    if sets[-1].seal.status is AuthResult.FAIL:
        return SignatureResult(AuthResult.FAIL, "it was broken already at the newest seal")
    if any(each.seal.status is not _status_at(place) for place, each in enumerate(sets)):
        return SignatureResult(AuthResult.FAIL, "a seal of a wrong status")
    newest = sets[-1].signature
    if newest is None:
        return SignatureResult(AuthResult.FAIL, "the newest message signature is unusable")
    judged = yield from content.judge(newest, keys)
    if judged.result is not AuthResult.PASS:
        return _of_chain(judged, "the newest message signature")
    digests = list(seal_digests(each.raw for each in sets))
    for place in reversed(range(len(sets))):
        judged = yield from keys.judge(sets[place].seal.value, digests[place])
        if judged.result is not AuthResult.PASS:
            return _of_chain(judged, f"seal {place + 1}")
    return SignatureResult(AuthResult.PASS)


def _of_chain(judged: SignatureResult, what: str) -> SignatureResult:
    is_temporary = judged.result is AuthResult.TEMPERROR
    return SignatureResult(
        AuthResult.TEMPERROR if is_temporary else AuthResult.FAIL, f"{what}: {judged.reason}"
    )


def _status_at(place: int) -> AuthResult:
    return AuthResult.NONE if place == 0 else AuthResult.PASS


def _oldest_pass(sets: Sequence[ArcSet], content: SignedContent, keys: KeyRecords) -> Asking[int]:
    """The oldest instance from which on the message was not changed; 0 if it never was (§5.2).

    The message counts as changed before the oldest set that is looked at.
    """
    for place in reversed(range(len(sets) - 1)):
        signature = sets[place].signature
        if signature is None or place < len(sets) - 1 - OLDER_JUDGED_MAX:
            return place + 2
        judged = yield from content.judge(signature, keys)
        if judged.result is not AuthResult.PASS:
            return place + 2
    return 0


def seal_digests(sets: Iterable[tuple[bytes, bytes, bytes]]) -> Iterator[bytes]:
    """The hash that each seal signs (§5.1.1): all sets up to its own, relaxed.

    A set is its results, its message signature and its seal, each a whole field.
    """
    hashed = sha256()
    for results, message_signature, seal in sets:
        hashed.update(relaxed_field(results) + relaxed_field(message_signature))
        own = hashed.copy()
        own.update(relaxed_field(without_value(seal)).removesuffix(b"\r\n"))
        yield own.digest()
        hashed.update(relaxed_field(seal))


def _sets(found: Sequence[_ArcField], now_s: int) -> tuple[ArcSet, ...]:
    by_instance: dict[int, dict[bytes, _ArcField]] = {}
    for each in found:
        of_set = by_instance.setdefault(each.instance, {})
        if each.field.name in of_set:
            raise DkimFault("a field stands twice in a set")
        of_set[each.field.name] = each
    if any(len(of_set) != len(ARC_NAMES) for of_set in by_instance.values()):
        raise DkimFault("a set is not complete")
    if sorted(by_instance) != list(range(1, len(by_instance) + 1)):
        raise DkimFault("a set is missing")
    return tuple(_set(by_instance[number], now_s) for number in sorted(by_instance))


def _set(fields: Mapping[bytes, _ArcField], now_s: int) -> ArcSet:
    try:
        signature = _message_signature(fields[MESSAGE_SIGNATURE], now_s)
    except DkimFault:
        signature = None
    message_signature = fields[MESSAGE_SIGNATURE].field.raw
    return ArcSet(fields[RESULTS].field.raw, message_signature, signature, _seal(fields[SEAL]))


def _message_signature(found: _ArcField, now_s: int) -> Signature:
    signature = parse_message_signature(found.field.raw, found.tags, found.tags.get("d", ""), now_s)
    if SEAL in signature.names:
        raise DkimFault("the message signature covers a seal")  # §4.1.2
    return signature


def _seal(found: _ArcField) -> Seal:
    tags = found.tags
    if "h" in tags:
        raise DkimFault("a seal with h=")  # §4.1.3
    status = _STATUS.get(tags.get("cv", "").lower())
    if status is None:
        raise DkimFault("a seal of an unknown status")
    check_time({"t": tags["t"]} if "t" in tags else {}, 0)
    return Seal(parse_value(tags, tags.get("d", "")), status, found.field.raw)
