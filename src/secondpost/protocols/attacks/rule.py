"""What a rule for attacks on mail servers says; rules is the table of them."""

import re
from dataclasses import dataclass
from enum import StrEnum


class AttackPlace(StrEnum):
    """What a rule looks at, and so the phase in which the attack came."""

    FIRST = "first"  # the first octets of a connection
    HELLO = "hello"  # the name in EHLO or HELO
    SERVER_NAME = "server-name"  # that a TLS client asks for (SNI)
    ADDRESS = "address"  # the path of MAIL or RCPT as written, brackets or not
    LINE = "line"  # a command line without its line end
    HEADER = "header"  # the value of a header field, unfolded, encoded words also decoded
    BODY = "body"  # the octets of a message
    REPLY = "reply"  # a reply of a server to which we deliver
    BEHAVIOUR = "behaviour"  # no text: what a client does


class AttackGrade(StrEnum):
    """What the attack would do to software that has the weakness; the last is the worst."""

    NOISE = "noise"  # nothing: scanners, and clients that speak something else
    PROBE = "probe"  # find out what is there, or use it against others
    EXPLOIT = "exploit"  # run commands, steal or crash


@dataclass(frozen=True, slots=True)
class AttackRule:
    """`tries`: one sentence for the owner. `cves`: the holes that exactly this attacks, if any."""

    id: str
    places: frozenset[AttackPlace]
    grade: AttackGrade
    tries: str
    cves: tuple[str, ...] = ()
    pattern: re.Pattern[bytes] | None = None  # None for a behaviour


def rule_of(
    name: str,
    places: tuple[AttackPlace, ...],
    pattern: bytes,
    grade: AttackGrade,
    tries: str,
    *cves: str,
) -> AttackRule:
    """A rule with a pattern. Letters match in both cases."""
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return AttackRule(name, frozenset(places), grade, tries, cves, compiled)


def behaviour(name: str, grade: AttackGrade, tries: str, *cves: str) -> AttackRule:
    """A rule without a pattern: something that a client does."""
    return AttackRule(name, frozenset({AttackPlace.BEHAVIOUR}), grade, tries, cves)
