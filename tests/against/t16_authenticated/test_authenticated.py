"""A primary that judges mail by the address it comes from refuses what came round; with our seal, or our
Authentication-Results, it knows better: at once, and after an outage.

The sender's domain publishes SPF for 127.0.0.7 alone, and asks to refuse everything else. Nothing is signed
by the sender, so that only we can know that it was allowed.
"""

import smtplib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from bench.ours import Secondpost
from bench.ready import free_port
from secondpost.config.records import Dkim
from secondpost.world.real.keys import dkim_records
from tests.against.listing import held_for_the_primary, listed
from tests.against.primaries import PostfixPrimary
from tests.against.sending import READER, until
from tests.against.t16_authenticated.filters import NAMES, OpenDmarc, Process, RecordedNames, Rspamd

US: Final = "mx2.example.net"
SENDER: Final = "ann@sender.example"
ALLOWED, STRANGER = "127.0.0.7", "127.0.0.8"
SECONDS_MAX: Final = 30


@dataclass
class Town:
    ours: Secondpost
    primary: PostfixPrimary

    def send(self, subject: str, client: str = ALLOWED) -> None:
        letter = (
            f"From: Ann <{SENDER}>\r\nTo: {READER}\r\nSubject: {subject}\r\n"
            f"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{subject}@sender.example>\r\n"
            "\r\nHello.\r\n"
        )
        with smtplib.SMTP("127.0.0.1", self.ours.port, source_address=(client, 0), timeout=60) as smtp:
            smtp.sendmail(SENDER, [READER], letter)

    def arrived(self) -> dict[str, str]:
        """The headers in the mailbox, unfolded, by subject."""
        files = sorted((self.primary.maildir / "new").iterdir())
        headers = [
            path.read_text().partition("\n\n")[0].replace("\n\t", " ").replace("\n ", " ") for path in files
        ]
        return {header.partition("\nSubject: ")[2].partition("\n")[0]: header for header in headers}

    def trouble(self) -> str:
        return f"{self.ours.trouble()}\n{self.primary.trouble()}"

    def until_arrived(self, subject: str) -> str:
        until(lambda: subject in self.arrived(), SECONDS_MAX, self.trouble)
        return self.arrived()[subject]

    def refused(self) -> int:
        """How many messages the primary refused."""
        return sum(row["standing"] == "kept (refused)" for row in listed(self.ours))


@contextmanager
def town(place: Path, milter: Callable[[Path, str], Process], authenticate: str) -> Iterator[Town]:
    with ExitStack() as open_ones:
        judge = milter(place, US)
        more = {
            "smtpd_milters": f"inet:127.0.0.1:{judge.port}",
            "milter_default_action": "tempfail",
        }
        primary = open_ones.enter_context(PostfixPrimary.prepared(place, more=more))
        ours = Secondpost(
            place / "ours",
            free_port(),
            primary.port,
            more=f'authenticate = "{authenticate}"\n'
            f'[dns]\nservers = ["{NAMES}"]\n[deliver]\nprobe = "1 second"\n',
        )
        open_ones.enter_context(ours)
        store = ours.folder / "store"
        until((store / "keys/sp-ed.pem").exists, SECONDS_MAX, ours.trouble)
        keys = [
            f"{record.name}.{US}. 300 IN TXT {' '.join(_strings(record.text))}"
            for record in dkim_records(str(store), Dkim())
        ]
        records = [
            f'sender.example. 300 IN TXT "v=spf1 ip4:{ALLOWED} -all"',
            '_dmarc.sender.example. 300 IN TXT "v=DMARC1; p=reject"',
            *keys,
        ]
        open_ones.enter_context(RecordedNames(place, ("net", "127.in-addr.arpa"), records))
        open_ones.enter_context(judge)
        yield Town(ours, primary)


def _strings(text: str) -> list[str]:
    return [f'"{text[at : at + 200]}"' for at in range(0, len(text), 200)]


def at_once_and_after_an_outage(place: Path, milter: Callable[[Path, str], Process], how: str) -> list[str]:
    """The headers of a mail that was passed on at once, and of one that was held."""
    with town(place, milter, how) as here:
        here.send("at-once")
        at_once = here.until_arrived("at-once")
        here.send("forged", STRANGER)
        until(lambda: here.refused() == 1, SECONDS_MAX, here.trouble)
        here.primary.stop()
        here.send("held")
        until(lambda: len(held_for_the_primary(here.ours)) == 1, SECONDS_MAX, here.trouble)
        here.primary.start()
        held = here.until_arrived("held")
        assert set(here.arrived()) == {"at-once", "held"}
    return [at_once, held]


def test_rspamd_believes_our_seal_and_refuses_the_forgery(place: Path) -> None:
    for header in at_once_and_after_an_outage(place, Rspamd, "seal"):
        assert "ARC_ALLOW_TRUSTED" in header
        assert "R_SPF_FAIL" in header, "it saw our address, and knew better"
        assert "arc=pass" in header.partition("\nARC-Seal:")[0]
        assert f"d={US}; s=sp-rsa;" in header


def test_opendmarc_believes_our_results_and_refuses_the_forgery(place: Path) -> None:
    for header in at_once_and_after_an_outage(place, OpenDmarc, "record"):
        own = header.partition(f"\nAuthentication-Results: {US};")[0]
        assert "Authentication-Results: primary.example; dmarc=pass (p=reject" in own


@pytest.mark.parametrize(("milter", "how"), [(Rspamd, "record"), (OpenDmarc, "off")])
def test_without_what_it_trusts_the_same_mail_is_refused(
    place: Path, milter: Callable[[Path, str], Process], how: str
) -> None:
    with town(place, milter, how) as here:
        here.send("at-once")
        until(lambda: here.refused() == 1, SECONDS_MAX, here.trouble)
        assert here.arrived() == {}
