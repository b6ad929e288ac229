"""What every part of the examination of DNS works on, and how it words its results."""

from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.facts import DkimKey, Facts
from secondpost.setup.own_policy import NULL_MX
from secondpost.setup.records import WantedRecord, zone_line

WORDS_MAX = 8  # things named in one sentence
CHARACTERS_SHOWN = 300  # of one text from DNS
OTHER_HOSTS_MAX = 10  # MX hosts of all backup domains together that are looked at
WILDCARD_LABEL = "secondpost-check"  # a name that no zone has, unless by a wildcard


@dataclass(frozen=True, slots=True)
class Examination:
    config: Config
    keys: tuple[DkimKey, ...]
    facts: Facts
    wanted: tuple[WantedRecord, ...]

    @property
    def host(self) -> str:
        return self.config.hostname.name

    def lines(self, name: str, *kinds: str) -> str:
        """The wanted records of a name as lines of a zone file; "" if there are none."""
        return "\n".join(it.zone_line for it in self.wanted if it.name == name and it.type in kinds)

    def text_line(self, name: str, begins: str) -> str:
        """The wanted TXT record that begins so; "" if there is none."""
        lines = [it.zone_line for it in self.wanted if it.name == name and it.value.startswith(begins)]
        return "".join(lines[:1])


def other_hosts(it: Examination) -> tuple[str, ...]:
    """The MX hosts of all backup domains, without this server and without repeats."""
    records = [record for answer in it.facts.mx.values() for record in answer.records]
    hosts = dict.fromkeys(record.host for record in records if record.host not in (it.host, NULL_MX))
    return tuple(hosts)[:OTHER_HOSTS_MAX]


def txt_line(name: str, text: str) -> str:
    """A TXT record as a remedy, for a record that is not among the wanted ones."""
    return zone_line(name, "TXT", text)


def well(check: Check, subject: str, text: str) -> Diagnosis:
    return Diagnosis(check, subject, Grade.WELL, text)


def no_answer(subject: str, what: str) -> Diagnosis:
    return Diagnosis(
        Check.DNS_ANSWERS,
        subject,
        Grade.WARNING,
        f"DNS gave no usable answer about {what}.",
        "Try again in a minute; if it stays so, look at the zone's name servers and at [dns] servers.",
    )


def in_words(things: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"; of many the first ones and how many more there are."""
    shown = [cut(thing) for thing in things]
    if len(shown) > WORDS_MAX:
        shown = [*shown[:WORDS_MAX], f"{len(shown) - WORDS_MAX} more"]
    return " and ".join(part for part in (", ".join(shown[:-1]), *shown[-1:]) if len(part) > 0)


def cut(text: str) -> str:
    """A text from DNS, short enough for a sentence."""
    return text if len(text) <= CHARACTERS_SHOWN else f"{text[: CHARACTERS_SHOWN - 1]}…"
