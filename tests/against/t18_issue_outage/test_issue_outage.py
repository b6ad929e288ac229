"""The next server of an issue, a real Postfix, dies for ten seconds in the middle of it."""

import os
import re
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Final

from bench import peers
from tests.against.primaries import PostfixPrimary
from tests.against.sending import until
from tests.newsletter.writing import atom
from tests.service.newsroom import EVERYTHING, Newsroom
from tests.world.web_server import WebServer, answer

WEEKLY: Final = "weekly"
DOMAIN: Final = "reader.example"
READERS: Final = 150
CONNECTIONS: Final = 10
KILLED_AFTER_MAILS: Final = 40
OUTAGE_SECONDS: Final = 10.0
ISSUE_SECONDS_MAX: Final = 120.0
# Postfix answers each final dot after a second, so that dots are under way whenever it is killed.
SLOW: Final = {
    "virtual_mailbox_domains": DOMAIN,
    "smtpd_end_of_data_restrictions": "sleep 1, permit",
    "smtpd_client_connection_count_limit": "0",
}
ADDRESSES: Final = [f"r{number}@{DOMAIN}" for number in range(READERS)]


def received(host: PostfixPrimary) -> list[tuple[str, str]]:
    """Address and Message-ID of each mail of the issue in its Maildir."""
    found = []
    for path in (host.maildir / "new").iterdir():
        text = path.read_text(errors="replace")
        address = re.search(r"^Delivered-To: (\S+)$", text, re.MULTILINE)
        id = re.search(r"^Message-ID:\s*(\S+)$", text, re.MULTILINE | re.IGNORECASE)
        assert address is not None, text[:500]
        assert id is not None, text[:500]
        found.append((address[1], id[1]))
    return found


def in_state(room: Newsroom, *states: str) -> int:
    marks = ", ".join("?" * len(states))
    query = f"SELECT count(*) FROM delivery WHERE issue IS NOT NULL AND state IN ({marks})"
    [(many,)] = room.rows(query, *states)
    assert isinstance(many, int)
    return many


def kill(host: PostfixPrimary) -> None:
    """Kill the first process of its namespace, and with it all others at once."""
    process = host.postfix.process
    assert process is not None
    first = peers.first_in(process)
    assert first > 0
    os.kill(first, signal.SIGKILL)
    process.wait()
    host.postfix.process = None


def test_as_few_are_unknown_as_dots_were_under_way_and_a_retry_reaches_them(place: Path) -> None:
    """Catalogue row 28: the reply to the final dot is lost."""
    pages: dict[str, bytes | None] = {f"/{WEEKLY}": answer("200 OK", atom((1, 2)))}
    ours = place / "ours"
    ours.mkdir()
    with PostfixPrimary.prepared(place, more=SLOW) as host, WebServer(pages).in_a_thread() as blog:
        room = Newsroom(ours, blog, host.port, {WEEKLY: EVERYTHING})
        settings = room.config.read_text()
        room.config.write_text(
            settings.replace("[deliver]\n", f"[deliver]\nconnections_per_site = {CONNECTIONS}\n")
        )
        room.have_readers({WEEKLY: ADDRESSES})
        room.start()
        try:
            _send_through_an_outage(room, host)
            unknown = _what_is_said(room)
            _retry(room, host, unknown)
        finally:
            room.end()


def _send_through_an_outage(room: Newsroom, host: PostfixPrimary) -> None:
    def trouble() -> str:
        return room.log.read_text()[-4000:]

    until(lambda: len(received(host)) >= KILLED_AFTER_MAILS, ISSUE_SECONDS_MAX, trouble)
    under_way = in_state(room, "committing")
    kill(host)
    begun = time.monotonic()
    assert 0 < under_way <= CONNECTIONS
    until(lambda: in_state(room, "committing", "claimed") == 0, OUTAGE_SECONDS, trouble)
    assert 0 < in_state(room, "unknown") <= CONNECTIONS
    until(lambda: time.monotonic() - begun >= OUTAGE_SECONDS, OUTAGE_SECONDS + 5, trouble)
    host.start()
    until(lambda: room.is_done(WEEKLY, 1), ISSUE_SECONDS_MAX, trouble)


def _what_is_said(room: Newsroom) -> int:
    """Check what `issue status` says of the outage; returns the number of unknown mails."""
    status = room.json_of("issue", "status", WEEKLY)
    unknown = status["unknown"]
    assert isinstance(unknown, int)
    assert 0 < unknown <= CONNECTIONS
    assert (status["delivered"], status["adds_up"]) == (READERS - unknown, True)
    providers = status["providers"]
    assert isinstance(providers, list)
    assert [each["unknown"] for each in providers] == [unknown]
    return unknown


def _retry(room: Newsroom, host: PostfixPrimary, unknown: int) -> None:
    room.json_of("issue", "retry", "--unknown", WEEKLY, "1", "--yes")
    until(lambda: room.is_done(WEEKLY, 1), ISSUE_SECONDS_MAX, host.trouble)
    status = room.json_of("issue", "status", WEEKLY)
    assert (status["unknown"], status["delivered"], status["adds_up"]) == (0, READERS, True)
    until(lambda: {address for address, _ in received(host)} == set(ADDRESSES), 20, host.trouble)
    mails = received(host)
    times = Counter(address for address, _ in mails)
    # Only those who were unknown can have it twice, and then as one message.
    assert sum(many - 1 for many in times.values()) <= unknown
    assert len(set(mails)) == READERS
