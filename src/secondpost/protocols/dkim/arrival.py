"""Verifies the signatures and the ARC chain of a message while it arrives (RFC 6376 §6, RFC 8617 §5.2).

SignatureCheck is given the header, then the body in pieces of any size, then asks for the keys:

    check = SignatureCheck(header, now_s)
    check.add_body(piece)                       # as long as the body comes
    found = yield from check.found(proves)

Nothing is hashed without a signature, and each canonical form of the body only once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

from secondpost.mail.address import DOMAIN_OCTETS_MAX
from secondpost.mail.authentication import ArcFound, AuthResult, DkimFound, SealMaterial
from secondpost.mail.questions import Asking
from secondpost.protocols.authors import author_domains
from secondpost.protocols.dkim.arc import ArcChain, check_chain, read_chain
from secondpost.protocols.dkim.canonical import FIELDS_MAX, REST, CanonicalForm, Field, fields_of
from secondpost.protocols.dkim.signed_content import KeyRecords, SignedContent
from secondpost.protocols.dkim.verifying import (
    DkimFault,
    Proves,
    Signature,
    parse_signature,
    signature_tags,
)

SIGNATURES_MAX = 10  # of one message, from above; an attacker may add more to waste our time
VALUE_START_CHARACTERS = 8  # RFC 6008 §3


@dataclass(frozen=True, slots=True)
class SignaturesFound:
    """`dkim` has one value per signature, from above; none if the message has none."""

    dkim: tuple[DkimFound, ...]
    arc: ArcFound


class SignatureCheck:
    """The signatures of one message. `now_s`: Unix time; `is_sealed`: whether it will get an ARC set.

    `from_domains`: the domains of the From field, as DMARC needs them.
    """

    def __init__(self, header: bytes, now_s: int, *, is_sealed: bool = False) -> None:
        fields = fields_of(header)
        self.from_domains = author_domains(fields)
        self._content = SignedContent(fields)
        self._claims, self._chain = _read(fields, now_s)
        for claim in self._claims:
            if claim.signature is not None:
                self._content.want_body(claim.signature.body_form)
        for form in self._chain.forms() | ({CanonicalForm.RELAXED} if is_sealed else set()):
            self._content.want_body(form)

    @property
    def wants_body(self) -> bool:
        return self._content.wants_body

    def add_body(self, piece: bytes) -> None:
        """The body after the empty line, with CRLF line ends; a line end may be split."""
        self._content.add_body(piece)

    def found(self, proves: Proves) -> Asking[SignaturesFound]:
        """The results, at the end of the body. `proves` is the public key's operation."""
        keys = KeyRecords(proves)
        dkim = [claim.found for claim in self._claims]
        for place in sorted(range(len(dkim)), key=self._distance_from_author):
            signature = self._claims[place].signature
            if signature is not None:
                judged = yield from self._content.judge(signature, keys)
                dkim[place] = replace(dkim[place], result=judged.result, reason=judged.reason)
        return SignaturesFound(tuple(dkim), (yield from check_chain(self._chain, self._content, keys)))

    def _distance_from_author(self, place: int) -> int:
        """The most related to From come first: only they decide about DMARC, and a forger's keys may take
        all the time there is.
        """
        signer = self._claims[place].found.domain
        return -max((_labels_shared(signer, author) for author in self.from_domains), default=0)

    def seal_material(self, arc: ArcFound, results: str) -> SealMaterial | None:
        """At the end of a body that is to be sealed; None if the chain may not grow.

        `results`: the value of our Authentication-Results. After a temporary error nothing is sealed:
        a seal would have to call the chain broken, for ever.
        """
        instance = self._chain.next_instance
        if instance is None or arc.result is AuthResult.TEMPERROR:
            return None
        return SealMaterial(instance, arc.result, results, self._content.body_digest(CanonicalForm.RELAXED))


def _labels_shared(first: str, second: str) -> int:
    """How many labels two names have in common, from the last one on."""
    pairs = zip(reversed(first.split(".")), reversed(second.split(".")), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


@dataclass(frozen=True, slots=True)
class _Claim:
    """A DKIM-Signature field. Without `signature`, `found` is the result already."""

    found: DkimFound
    signature: Signature | None


def _read(fields: Sequence[Field], now_s: int) -> tuple[list[_Claim], ArcChain]:
    signed = [field for field in fields if field.name == b"dkim-signature"][:SIGNATURES_MAX]
    if any(field.name == REST for field in fields):
        # The rest may hold another From, which a signature would not seem to cover.
        fault = DkimFault(f"a header of more than {FIELDS_MAX} fields")
        return [_Claim(_found({}, fault), None) for _ in signed], ArcChain(
            fault=str(fault), next_instance=None
        )
    return [_claim(field.raw, now_s) for field in signed], read_chain(fields, now_s)


def _claim(raw: bytes, now_s: int) -> _Claim:
    tags: dict[str, str] = {}
    try:
        tags = signature_tags(raw)
        signature = parse_signature(raw, tags, now_s)
    except DkimFault as fault:
        return _Claim(_found(tags, fault), None)
    found = _found(tags, DkimFault(""))
    return _Claim(replace(found, domain=signature.value.domain), signature)


def _found(tags: dict[str, str], fault: DkimFault) -> DkimFound:
    return DkimFound(
        fault.result,
        tags.get("d", "").lower()[:DOMAIN_OCTETS_MAX],
        tags.get("s", "")[:DOMAIN_OCTETS_MAX],
        tags.get("a", "").lower()[:DOMAIN_OCTETS_MAX],
        "".join(tags.get("b", "").split())[:VALUE_START_CHARACTERS],
        str(fault),
    )
