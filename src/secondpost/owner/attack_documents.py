"""The document of `watch attacks`."""

from dataclasses import dataclass

from secondpost.owner.hole_documents import KnownHoleDocument


@dataclass(frozen=True, slots=True)
class AttackNetworkDocument:
    """One network that tried it."""

    network: str
    client: str
    times: int
    first: str
    last: str
    sample: str


@dataclass(frozen=True, slots=True)
class AttackDocument:
    """What one rule found."""

    rule: str
    grade: str
    cves: list[str]
    tries: str
    affected: bool
    why: str
    holes: list[KnownHoleDocument]
    times: int
    first: str
    last: str
    place: str
    networks: list[AttackNetworkDocument]
    others: int


@dataclass(frozen=True, slots=True)
class AttacksDocument:
    since: str
    attacks: list[AttackDocument]
