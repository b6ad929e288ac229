"""Set-ups as files: a configuration, the records in DNS, and what the check is to find.

`set_ups/dns_good_*.toml` has:
  config     the configuration, as in secondpost.toml
  zone       the records, "name type data" per line; names without a final dot are absolute too
  signed     the zones whose answers a validating resolver vouches for
  policies   the MTA-STS policies, by domain; "problem: …" is one that cannot be fetched
  addresses, tls_key, authority   what the machine knows of itself

`set_ups/dns_broken_*.toml` names a good one in `like`, and has:
  broken     what is broken, in a sentence
  without    the beginnings of records that are missing
  with       further records, "name type data"
  servfail   names and types that DNS does not answer, "name type"
  config, signed, policies, addresses, tls_key, authority   as above, if they differ
  [[finds]]  each result that is to be found: check, grade, subject, remedy (part of it)
No other fault or warning may be found. Adding a set-up needs no code.
"""

import asyncio
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from secondpost.config.reading import parse_config
from secondpost.config.records import Config
from secondpost.mail.address import Domain
from secondpost.mail.dns_questions import StsPolicyAnswer
from secondpost.setup.diagnosis import Diagnosis
from secondpost.setup.examine_dns import examine
from secondpost.setup.facts import DkimKey, Facts
from secondpost.world.asking import drive, zones_from
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from tests.world.name_server import NameServer, Zone, refusal

FOLDER: Final = Path(__file__).parent / "set_ups"
KEYS: Final = (
    DkimKey("sp-rsa", "v=DKIM1; k=rsa; p=cnNh"),
    DkimKey("sp-ed", "v=DKIM1; k=ed25519; p=ZWQ="),
)
PROBLEM: Final = "problem: "


@dataclass(frozen=True, slots=True)
class Expected:
    check: str
    grade: str
    subject: str
    remedy: str  # part of it


@dataclass(frozen=True, slots=True)
class SetUp:
    config: Config
    lines: tuple[str, ...]  # as tests.world.name_server.Zone reads them
    signed: tuple[str, ...]
    servfail: frozenset[str]  # "name type"
    policies: Mapping[str, str]
    known: Facts
    finds: tuple[Expected, ...]

    def respond(self, query: dns.message.Message) -> list[bytes]:
        asked = query.question[0]
        if (
            f"{asked.name.to_text(omit_final_dot=True)} {dns.rdatatype.to_text(asked.rdtype)}"
            in self.servfail
        ):
            return [refusal(query, dns.rcode.SERVFAIL)]
        reply = Zone(self.lines).answer(query)
        wants = query.flags & dns.flags.AD != 0
        if wants and any(asked.name.is_subdomain(dns.name.from_text(zone)) for zone in self.signed):
            reply.flags |= dns.flags.AD
        return [reply.to_wire()]

    async def policy(self, domain: Domain) -> StsPolicyAnswer:
        text = self.policies.get(domain.name, f"{PROBLEM}nothing is served")
        if text.startswith(PROBLEM):
            return StsPolicyAnswer(problem=text.removeprefix(PROBLEM))
        return StsPolicyAnswer(text)


def names_of(kind: str) -> list[str]:
    """Of all files of set-ups of a kind: "good" or "broken"."""
    begins = f"dns_{kind}_"
    return sorted(path.stem.removeprefix(begins) for path in FOLDER.glob(f"{begins}*.toml"))


def read_set_up(kind: str, name: str) -> SetUp:
    table = _read(kind, name)
    good = table if kind == "good" else _read("good", cast(str, table["like"]))
    whole = {**good, **table}
    removed, added = _list(table, "without"), _list(table, "with")
    zone = [line for line in cast(str, good["zone"]).splitlines() if len(line.strip()) > 0]
    for beginning in removed:
        assert any(line.startswith(beginning) for line in zone), f"{name}: no record begins {beginning!r}"
    kept = [line for line in zone if not line.startswith(tuple(removed))]
    known = Facts(
        tuple(_list(whole, "addresses")),
        cast(str | None, whole.get("tls_key")),
        cast(str, whole.get("authority", "")),
    )
    return SetUp(
        parse_config(cast(str, whole["config"]).encode(), "secondpost.toml"),
        tuple(_line(line) for line in (*kept, *added)),
        tuple(_list(whole, "signed")),
        frozenset(_list(table, "servfail")),
        cast(Mapping[str, str], whole.get("policies", {})),
        known,
        tuple(Expected(**one) for one in cast(list[dict[str, str]], table.get("finds", []))),
    )


def _read(kind: str, name: str) -> dict[str, object]:
    return tomllib.loads((FOLDER / f"dns_{kind}_{name}.toml").read_text())


def _list(table: Mapping[str, object], key: str) -> Sequence[str]:
    return cast(Sequence[str], table.get(key, ()))


def _line(line: str) -> str:
    name, kind, data = line.split(maxsplit=2)
    return f"{name.rstrip('.')}. 300 IN {kind} {data}"


def diagnoses(set_up: SetUp) -> tuple[Diagnosis, ...]:
    """Examine the set-up, with our resolver, against a name server on loopback."""

    async def day() -> tuple[Diagnosis, ...]:
        server = await NameServer.lying(lambda query, _: set_up.respond(query))
        resolver = RealResolver([server.endpoint], RealDice(1), has_ipv6=lambda: True)
        try:
            answerer = zones_from(resolver, set_up.policy)
            return await drive(examine(set_up.config, KEYS, set_up.known), answerer)
        finally:
            resolver.close()
            server.close()

    return asyncio.run(day())
