"""The JSON document of `watch reach`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReachNetworkDocument:
    """One network's record for an address."""

    asn: int
    name: str
    failed: int
    passed: int
    blocked: bool
    since: str | None
    looked: str


@dataclass(frozen=True, slots=True)
class ReachViewDocument:
    """One address as seen from one country."""

    address: str
    host: str
    domains: list[str]
    country: str
    verdict: str
    since: str | None
    looked: str | None
    confirmation: str
    confirmed: str | None
    alarm: bool
    networks: list[ReachNetworkDocument]
    context: list[str]


@dataclass(frozen=True, slots=True)
class ReachRoundDocument:
    """How many networks of a country found what, in one round."""

    at: str
    address: str
    country: str
    passes: int
    fails: int
    unknown: int


@dataclass(frozen=True, slots=True)
class ReachSourceDocument:
    source: str
    url: str
    used: int
    quota: int
    window_seconds: int
    rests_until: str | None
    answered: str | None
    failed: str | None
    failure: str
    found: str


@dataclass(frozen=True, slots=True)
class ReachAnswerDocument:
    number: int
    at: str
    source: str
    asked: str
    status: int
    octets: int


@dataclass(frozen=True, slots=True)
class ReachDocument:
    """The document of `watch reach`."""

    on: bool
    countries: list[str]
    control: str
    every_seconds: int
    last_round: str | None
    views: list[ReachViewDocument]
    rounds: list[ReachRoundDocument]
    sources: list[ReachSourceDocument]
    answers: list[ReachAnswerDocument]
