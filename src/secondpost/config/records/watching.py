"""What the owner is written about, and what is watched."""

from dataclasses import dataclass
from typing import Annotated

from secondpost.config import addresses, forms, grammars
from secondpost.config.faults import Wrong, quoted
from secondpost.config.file_readers import REACH_READERS
from secondpost.config.key import FileContent, FileForm, Key, ListForm, OwnForm, ValueForm
from secondpost.config.values import REACH_URLS, NetworkLookup, NetworkSource, ReachPlace, network_source_text
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS
from secondpost.mail.reach import ReachSource

WATCH_SPEED_MAX = 100_000  # an hour in 36 ms
OSV = "https://api.osv.dev"
SCHEDULE = ValueForm(
    'times as in `every` of a newsletter, a time alone, or "off"',
    grammars.schedule,
    none="off",
)
COUNTRY = ValueForm("the two capital letters of a country", grammars.country)
TIMEZONE = ValueForm("a time zone", grammars.timezone)


@dataclass(frozen=True, slots=True)
class Alarms:
    """What the owner is written about, besides the addresses, which are `owner`.

    The schedules are in the grammar of mail/slot; None is "off".
    """

    webhook: Annotated[
        str | None,
        Key(
            ValueForm("a web address", addresses.secret_url),
            "An address that gets each alarm as well, as JSON by POST ([log.md](log.md#the-webhook)). "
            "It must begin with `https:`, unless it is on this machine; a private address needs "
            "`allow_private` of `[fetch]`.",
            '"https://ntfy.example/secondpost"',
            default="none",
            is_secret=True,
        ),
    ] = None
    held_after_ms: Annotated[
        int,
        Key(
            forms.duration(SECOND_MS, 7 * DAY_MS),
            "How long the primary of a backup domain cannot be reached before it is an alarm "
            "(`mail-held`), with or without waiting mail.",
            '"1 hour"',
        ),
    ] = 10 * MINUTE_MS
    digest: Annotated[
        str | None,
        Key(
            SCHEDULE,
            "When a mail says what was received, held and delivered since the last one: as `every` of "
            'a newsletter, a time alone for every day, or `"off"`.',
            '"07:00"',
        ),
    ] = None
    all_is_well: Annotated[
        str | None,
        Key(
            SCHEDULE,
            "When a mail says that all is well, or which alarms stand, so that silence means "
            "something: as `digest`.",
            '"first monday"',
        ),
    ] = "monday 09:00"
    timezone: Annotated[
        str,
        Key(TIMEZONE, "The time zone of these times and of the times shown in these mails.", '"Europe/Oslo"'),
    ] = "UTC"


@dataclass(frozen=True, slots=True)
class Watch:
    """What is watched of attackers, callers and advisories."""

    networks: Annotated[
        NetworkSource,
        Key(
            OwnForm('"none", "cymru", or "file:" and a path', network_source_text),
            "How the network and the country of a sending server are found, by its address, so that "
            'an alarm can name them. `"file:PATH"`: in a table on this machine '
            "([formats](operations.md#tables-of-networks)), which is read again when it changes. "
            '`"cymru"`: by asking Team Cymru over DNS, which shows it, and your DNS servers, the '
            'first 24 bits (48 with IPv6) of the addresses of servers that send you mail. `"none"`: '
            "not at all; then servers are grouped by those bits alone.",
            '"file:ip2asn-combined.tsv.gz"',
        ),
    ] = NetworkLookup.NONE
    speed: Annotated[
        int,
        Key(
            forms.number(1, WATCH_SPEED_MAX),
            "How many times faster the hours of `watch arrivals` pass; meant for tests.",
            "3600",
        ),
    ] = 1
    advisories: Annotated[
        bool,
        Key(
            forms.SWITCH,
            "Whether the service at `advisories_url` is asked once a day for known holes in what runs "
            "here. It then learns which programs these are, and in which versions.",
            "true",
        ),
    ] = False
    advisories_url: Annotated[
        str,
        Key(
            ValueForm("a web address", addresses.service_url),
            "A service that answers as [OSV](https://google.github.io/osv.dev/api/) does. It must "
            "begin with `https:`, unless it is on this machine; a private address needs "
            "`allow_private` of `[fetch]`.",
            '"https://osv.example.net"',
        ),
    ] = OSV

    @property
    def hour_ms(self) -> int:
        return HOUR_MS // self.speed


def _reach_place(value: object) -> ReachPlace:
    """`NAME`, or `NAME:URL` for a mirror."""
    written = forms.text(value)
    name, colon, url = written.partition(":")
    if name not in tuple(ReachSource):
        named = ", ".join(quoted(source.value) for source in ReachSource)
        raise Wrong(f"{quoted(name)} is not a source", f"there are {named}")
    source = ReachSource(name)
    return ReachPlace(source, REACH_URLS[source] if len(colon) == 0 else addresses.service_url(url))


@dataclass(frozen=True, slots=True)
class ReachSettings:
    """From where it is watched whether the MX addresses can be reached."""

    countries: Annotated[
        tuple[str, ...],
        Key(
            ListForm(COUNTRY, 'write countries = ["RU"], or leave the key out to ask no one'),
            "From inside which countries it is watched whether port 25 of your MX addresses can be "
            "reached. Empty means that no one is asked; "
            "[security.md](security.md#what-a-look-from-elsewhere-reveals) says what a look reveals, "
            "and to whom. Each is a code that ISO 3166-1 assigns.",
            '["RU", "BY"]',
            default="none",
        ),
    ] = ()
    control: Annotated[
        str,
        Key(
            COUNTRY,
            "The country from which the addresses must be reached for a failure to mean anything.",
            '"NL"',
        ),
    ] = "DE"
    every_ms: Annotated[
        int, Key(forms.duration(MINUTE_MS, DAY_MS), "How often they are looked at.", '"1 hour"')
    ] = 30 * MINUTE_MS
    sources: Annotated[
        tuple[ReachPlace, ...],
        Key(
            ListForm(
                ValueForm(
                    '"globalping", "atlas", "z-i" or "ooni"; a colon and the address of a mirror may follow',
                    _reach_place,
                    lambda place: place.written,
                ),
                'write "globalping"',
            ),
            'Who is asked: `"globalping"` connects; `"atlas"` (RIPE Atlas) confirms a block and needs '
            'a key; `"z-i"` (a copy of the Russian register) and `"ooni"` explain it. A name may be '
            'followed by the address of a mirror, as in `"z-i:https://mirror.example/z-i"`.',
            '["globalping", "z-i", "ooni"]',
        ),
    ] = (ReachPlace(ReachSource.GLOBALPING, REACH_URLS[ReachSource.GLOBALPING]),)
    globalping_token_file: Annotated[
        str | None,
        Key(
            FileForm(FileContent.SECRET, REACH_READERS),
            "The file with a token of Globalping, for twice as many looks.",
            '"/etc/secondpost/password"',
            default="none",
        ),
    ] = None
    atlas_key_file: Annotated[
        str | None,
        Key(
            FileForm(FileContent.SECRET, REACH_READERS),
            "The file with a key of RIPE Atlas that may create measurements. Each confirmation takes "
            "some 700 credits.",
            '"/etc/secondpost/password"',
            default="none",
        ),
    ] = None

    @property
    def is_on(self) -> bool:
        return len(self.countries) > 0

    def url(self, source: ReachSource) -> str | None:
        """None: the source is not asked."""
        urls = [place.url for place in self.sources if place.source is source]
        return urls[0] if self.is_on and len(urls) > 0 else None

    def key_file(self, source: ReachSource) -> str | None:
        match source:
            case ReachSource.GLOBALPING:
                return self.globalping_token_file
            case ReachSource.ATLAS:
                return self.atlas_key_file
            case _:
                return None
