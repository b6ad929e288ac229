"""What receive notes of accepted mail: in batches, bounded, and kept while the store is away."""

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.config.records import Backup, LearnedRecipients
from secondpost.mail.address import Domain
from secondpost.mail.arrivals import CameFrom, NotedMail
from secondpost.mail.authentication import (
    ArcFound,
    Authentication,
    AuthResult,
    DmarcFound,
    SpfFound,
    SpfIdentity,
)
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.questions import Knowledge
from secondpost.mail.queue_id import QueueId
from secondpost.receive.arrivals import NOTES_MAX, NOTES_PER_WRITE_MAX, ArrivalNotes
from secondpost.store.ports import StoreUnavailable
from tests.stations.test_receive import BODY, DOMAIN, ENVELOPE, Office, in_office

NET, ORG = Domain("example.net"), Domain("example.org")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def authentication(result: AuthResult) -> Authentication:
    spf = SpfFound(result, SpfIdentity.MAILFROM, "a@author.example", "author.example")
    dmarc = DmarcFound(result, "author.example")
    return Authentication(spf, (), dmarc, ArcFound(AuthResult.NONE))


def noted(
    found: Authentication | None = None, known: frozenset[Domain] = frozenset({NET}), peer: str = "192.0.2.7"
) -> NotedMail:
    return NotedMail(QueueId(1), HOUR_MS + 5, peer, found, known, frozenset({NET, ORG}) - known)


class Listed:
    """Implements ArrivalsIntake as a list of batches."""

    def __init__(self) -> None:
        self.batches: list[Sequence[CameFrom]] = []
        self.is_away = False

    def note_arrivals(self, arrivals: Sequence[CameFrom]) -> Awaitable[None]:
        if self.is_away:
            raise StoreUnavailable("closed")
        self.batches.append(list(arrivals))
        return asyncio.sleep(0)


REGISTERED = {
    "author.example": "author.example",
    "n1.author.example": "author.example",
    "a.b.n2.author.example": "author.example",
    "a.firm.co.uk": "firm.co.uk",
    "firm.com.br": "firm.com.br",
    "a.firm.ru": "firm.ru",
    "co.uk": "co.uk",
    "localhost": "localhost",
}


@pytest.mark.parametrize("domain", REGISTERED)
def test_all_names_below_a_registered_one_are_one_author(domain: str) -> None:
    found = authentication(AuthResult.PASS)
    found = replace(found, dmarc=replace(found.dmarc, domain=domain))
    assert noted(found).author == REGISTERED[domain]


@pytest.mark.anyio
async def test_only_authenticated_mail_to_a_recipient_who_exists_has_an_author() -> None:
    intake = Listed()
    notes = ArrivalNotes(intake, HOUR_MS)
    for found in (authentication(AuthResult.PASS), authentication(AuthResult.FAIL), None):
        notes.note(noted(found))
    await notes.write()
    [batch] = intake.batches
    assert [(one.domain, one.author) for one in batch] == [
        (NET, "author.example"),
        (ORG, ""),
        *[(NET, ""), (ORG, "")] * 2,
    ]
    assert {(one.network, one.hour_ms, one.arrived_ms) for one in batch} == {
        ("192.0.2.0/24", HOUR_MS, HOUR_MS + 5)
    }


@pytest.mark.anyio
async def test_a_site_of_ipv6_is_one_network() -> None:
    intake = Listed()
    notes = ArrivalNotes(intake, HOUR_MS)
    notes.note(noted(peer="2001:db8:1:2::3"))
    await notes.write()
    assert {one.network for one in intake.batches[0]} == {"2001:db8:1::/48"}


@pytest.mark.anyio
async def test_notes_wait_while_the_store_is_away_and_a_flood_is_bounded() -> None:
    intake = Listed()
    intake.is_away = True
    notes = ArrivalNotes(intake, HOUR_MS)
    for _ in range(NOTES_MAX):
        notes.note(noted())
    await notes.write()
    intake.is_away = False
    await notes.write()
    assert sum(len(batch) for batch in intake.batches) == NOTES_MAX
    assert max(len(batch) for batch in intake.batches) == NOTES_PER_WRITE_MAX
    await notes.write()
    assert sum(len(batch) for batch in intake.batches) == NOTES_MAX


def test_what_was_accepted_is_noted_and_what_was_refused_is_not(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call("192.0.2.9")
        office.knowledge = Knowledge.KNOWN
        await client.say(ENVELOPE + b"DATA\r\n")
        await client.say(BODY + b".\r\n")  # 250
        await client.say(ENVELOPE + b"DATA\r\n")
        office.intake.error = StoreUnavailable("busy")
        await client.say(BODY + b".\r\n")  # 451
        office.intake.error = None
        await office.arrivals.write()

    office = in_office(tmp_path, story, backup=Backup(DOMAIN, recipients=(LearnedRecipients(),)))
    [(accepted, _)] = office.intake.taken
    [noted] = office.intake.arrivals
    assert (noted.id, noted.domain, noted.network) == (accepted.queue_id, DOMAIN, "192.0.2.0/24")
