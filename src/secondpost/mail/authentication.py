"""Who sent a message, as far as it can be proved: what SPF, DKIM, DMARC and ARC say of it on arrival.

Values only. protocols/ finds them out, receive keeps them beside the message and writes them as
Authentication-Results (RFC 8601).
"""

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct


class AuthResult(StrEnum):
    """The result words of RFC 8601 §2.7 for these methods."""

    NONE = "none"  # there is nothing to judge by: no record, no signature
    PASS = "pass"
    FAIL = "fail"
    SOFTFAIL = "softfail"  # SPF only
    NEUTRAL = "neutral"  # of DKIM: a signature that cannot be read
    POLICY = "policy"  # of DKIM: valid, and too weak for us
    TEMPERROR = "temperror"  # DNS did not answer in time; never a reason to refuse
    PERMERROR = "permerror"  # a record that cannot be understood


class SpfIdentity(StrEnum):
    """Whose record was evaluated (RFC 7208 §2.3, §2.4); the values are RFC 8601's properties."""

    MAILFROM = "smtp.mailfrom"
    HELO = "smtp.helo"  # for the null sender


@dataclass(frozen=True, slots=True)
class SpfFound:
    result: AuthResult
    identity: SpfIdentity
    name: str  # the mailbox of MAIL, or the name of HELO
    domain: str  # A-labels, lower case
    reason: str = ""  # in a few words; "" if the result says it all
    explanation: str = ""  # of a fail, by the domain's owner (exp=): printable ASCII, and any text


@dataclass(frozen=True, slots=True)
class DkimFound:
    """Of one signature."""

    result: AuthResult
    domain: str  # d=, lower case
    selector: str  # s=
    algorithm: str  # a=
    value_start: str  # the first characters of b=, which tell signatures apart (RFC 6008)
    reason: str = ""


class DmarcPolicy(StrEnum):
    NONE = "none"
    QUARANTINE = "quarantine"
    REJECT = "reject"


@dataclass(frozen=True, slots=True)
class DmarcFound:
    """`result` is NONE if the domain publishes no policy, even if its signature is aligned."""

    result: AuthResult
    domain: str  # of From; if it names several, the one that fails, else ""
    policy: DmarcPolicy = DmarcPolicy.NONE  # what is asked for if it fails, or cannot be looked for
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ArcFound:
    """The chain validation status (RFC 8617 §4.4)."""

    result: AuthResult  # none, pass, fail, or temperror
    sets: int = 0
    sealers: tuple[str, ...] = ()  # d= of each seal, oldest first
    reason: str = ""
    oldest_pass: int = 0  # the instance since which nothing was changed; 0 if nothing ever was


@dataclass(frozen=True, slots=True)
class SealMaterial:
    """What an ARC set needs that is known on arrival only. The rest is in the message's header."""

    instance: int  # of the new set
    status: AuthResult  # of the chain before: none, pass or fail
    results: str  # the value of ARC-Authentication-Results without its instance, folded
    body_hash: bytes  # SHA-256 of the body in relaxed form


@dataclass(frozen=True, slots=True)
class Authentication:
    """All of it, of one message."""

    spf: SpfFound
    dkim: tuple[DkimFound, ...]
    dmarc: DmarcFound
    arc: ArcFound

    @property
    def is_aligned_pass(self) -> bool:
        """Whether the domain of From sent or signed it, by DMARC's rules, and says so in DNS."""
        return self.dmarc.result is AuthResult.PASS


class AuthenticationNote(Struct, frozen=True, gc=False):
    """What is kept beside a message of who sent it, for its trace and its seal."""

    results: str = ""  # the value of our Authentication-Results, folded; "" if nothing was evaluated
    seal: SealMaterial | None = None  # None: it is not to be sealed


NO_NOTE = AuthenticationNote()
