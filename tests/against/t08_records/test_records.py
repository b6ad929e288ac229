"""The printed snippet, served by a real Knot: then `check dns` finds nothing wrong. Once in an unsigned
zone, and once in a signed one behind a real Unbound that validates.
"""

import asyncio
import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pytest

from secondpost.config.reading import read_config
from secondpost.config.records import Config
from secondpost.roles.zones import facts_of_machine, needed_records, records_missing
from secondpost.setup.records import PublishedBy, WantedRecord, zone_snippet
from secondpost.world.real.dice import RealDice
from secondpost.world.real.keys import make_missing_keys
from tests.against.t08_records.name_servers import Knot, validating
from tests.world.certificates import make_pair

NET: Final = "example.net"
REVERSE: Final = "2.0.192.in-addr.arpa"
BASE: Final = """\
example.net. 3600 IN SOA ns1.example.net. hostmaster.example.net. SERIAL 3600 600 86400 0
example.net. 3600 IN NS ns1.example.net.
ns1.example.net. 3600 IN A {address}
example.net. 3600 IN MX 10 mx1.example.net.
mx1.example.net. 3600 IN A 192.0.2.10
example.net. 3600 IN TXT "v=spf1 mx -all"
"""
BASE_OF_REVERSE: Final = """\
2.0.192.in-addr.arpa. 3600 IN SOA ns1.example.net. hostmaster.example.net. SERIAL 3600 600 86400 0
2.0.192.in-addr.arpa. 3600 IN NS ns1.example.net.
"""
CONFIG: Final = """\
version = 3
hostname = "mx2.example.net"
owner = ["me@elsewhere.example"]
bounces = "bounce.example.net"
store = "{store}"
addresses = ["192.0.2.25"]
[tls]
certificate = "{certificate}"
key = "{key}"
[dns]
servers = ["{server}"]
[web]
url = "https://news.example.net"
[[backup]]
domain = "example.net"
recipients = ["learn"]
[[newsletter]]
name = "weekly"
from = "The Blog <newsletter@example.net>"
feeds = ["https://www.example.net/feed.xml"]
postal_address = "1 Example Street"
"""


def configured(place: Path, server: str) -> Config:
    """`server`: the DNS server, with its port."""
    pair = make_pair(place, "mx2.example.net")
    path = place / "secondpost.toml"
    store = place / "store"
    path.write_text(CONFIG.format(store=store, certificate=pair.certificate, key=pair.key, server=server))
    config = read_config(str(path))
    store.mkdir(mode=0o700)
    make_missing_keys(config.store, config.dkim, RealDice())
    return config


def asking(config: Config, server: str) -> Config:
    """The same, with another DNS server."""
    path = Path(config.path)
    path.write_text(path.read_text().replace(str(config.dns.servers[0]), server))
    return read_config(config.path)


def checked(config: Config) -> list[dict[str, str]]:
    """What `secondpost check dns` finds."""
    command = [sys.executable, "-m", "secondpost", "--config", config.path, "check", "dns", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    found: list[dict[str, str]] = json.loads(done.stdout)["diagnoses"]
    return found


def graded(found: list[dict[str, str]], *grades: str) -> list[str]:
    return [f"{it['check']}: {it['text']}" for it in found if it["grade"] in grades]


def publish(knot: Knot, records: tuple[WantedRecord, ...]) -> None:
    knot.publish(NET, BASE.replace("SERIAL", "100") + zone_snippet(records))
    of_hoster = [record.zone_line for record in records if record.by is PublishedBy.HOSTER]
    knot.publish(REVERSE, BASE_OF_REVERSE.replace("SERIAL", "100") + "\n".join(of_hoster) + "\n")


def missing(config: Config, records: tuple[WantedRecord, ...]) -> tuple[WantedRecord, ...]:
    return asyncio.run(records_missing(config, records))


@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
def test_with_the_snippet_published_everything_is_well(place: Path, is_signed: bool) -> None:
    zones = {NET: BASE.replace("SERIAL", "1"), REVERSE: BASE_OF_REVERSE.replace("SERIAL", "1")}
    knot = Knot.prepared(place, zones, is_signed=is_signed)
    with ExitStack() as stack:
        stack.enter_context(knot.running())
        config = configured(place, dns_server(stack, place, knot))
        assert len(graded(checked(config), "fault")) > 5

        records = asyncio.run(needed_records(config, facts_of_machine(config)))
        assert missing(config, records) == records
        publish(knot, records)
        # The resolver still has the old MX records in its cache; the zone's own server has the new.
        assert missing(config, records) == ()

        found = checked(asking(config, dns_server(stack, place, knot)))
        assert graded(found, "fault", "warning") == []
        well = [it["check"] for it in found if it["grade"] == "well"]
        for check in ("mx-preference", "reverse-name", "spf-sender", "dkim-key", "dmarc-record"):
            assert check in well, graded(found, "well", "note")
        assert ("tlsa-match" in well, "dnssec" in well) == (is_signed, is_signed)


def dns_server(stack: ExitStack, place: Path, knot: Knot) -> str:
    """Knot itself, or a new Unbound in front of it that validates the signatures."""
    if not knot.is_signed:
        return f"{knot.address}:53"
    return f"127.0.0.1:{stack.enter_context(validating(place, knot))}"
