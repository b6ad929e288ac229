"""Attacks as they are counted: by day, rule and network. The rules are in protocols/attacks."""

from dataclasses import dataclass

from secondpost.mail.duration import DAY_MS
from secondpost.mail.printable import printable

SAMPLE_CHARACTERS_MAX = 200
# Networks counted by themselves for one rule on one day; the rest are counted together, so that the
# table has a bound, whatever attackers do, and no flood of one rule hides another.
NETWORKS_PER_RULE_MAX = 100
OTHER_NETWORKS = ""
ATTACKS_KEPT_MS = 90 * DAY_MS


AttackKey = tuple[int, str, str]  # day, rule, network


@dataclass(frozen=True, slots=True)
class AttackCount:
    """How often a network did on one day what a rule describes.

    `network`: /24 or /64, or OTHER_NETWORKS; `client`: the last address of it; `place`: what the rule
    looked at; `sample`: the first that was seen, safe to print, and cut.
    """

    day: int  # mail/daily.day_of
    rule: str
    network: str
    times: int
    first_ms: int
    last_ms: int
    client: str
    place: str
    sample: str

    @property
    def key(self) -> AttackKey:
        return self.day, self.rule, self.network


def sample_of(octets: bytes) -> str:
    """Octets from outside as one short line that is safe in a log and on a terminal."""
    text = printable(octets[:SAMPLE_CHARACTERS_MAX].decode("ascii", "backslashreplace"))
    return text if len(text) <= SAMPLE_CHARACTERS_MAX else f"{text[: SAMPLE_CHARACTERS_MAX - 1]}…"


def both(one: AttackCount, other: AttackCount) -> AttackCount:
    """Two counts of one day, rule and network, as one: the sample of the first, the client of the last."""
    first, last = (one, other) if one.first_ms <= other.first_ms else (other, one)
    latest = one if one.last_ms > other.last_ms else other
    return AttackCount(
        day=first.day,
        rule=first.rule,
        network=first.network,
        times=one.times + other.times,
        first_ms=first.first_ms,
        last_ms=latest.last_ms,
        client=latest.client,
        place=first.place,
        sample=first.sample if len(first.sample) > 0 else last.sample,
    )
