"""`check` beside a running service with a newsletter, all on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_check_dns import Dns
from tests.newsletter.writing import atom
from tests.service.newsroom import Newsroom
from tests.service.primary import Primary
from tests.service.test_hard_times import until
from tests.world.web_server import WebServer, answer

ADA = "ada@reader.example"


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    names = Dns()
    names.lines = ["mx2.example.net. 60 IN A 127.0.0.1"]
    pages: dict[str, bytes | None] = {"/weekly": answer("200 OK", atom((1, 2)))}
    with WebServer(pages).in_a_thread() as blog, Primary() as readers, names.running() as port:
        opened = Newsroom(tmp_path, blog, readers.port, {"weekly": "", "refused": ""})
        with opened.config.open("a") as config:
            config.write(f'[dns]\nservers = ["127.0.0.1:{port}"]\n')
        try:
            opened.have_readers({"weekly": [ADA]})
            opened.start()
            opened.wait_for_roles()
            yield opened
        finally:
            opened.end()


def graded(room: Newsroom, area: str) -> dict[tuple[str, str], str]:
    """The grade by check and subject."""
    document = json.loads(room.run("check", area, "--json").stdout)
    return {(one["check"], one["subject"]): one["grade"] for one in document["diagnoses"]}


def test_pages_feeds_and_the_link_that_leaves_are_seen_from_outside(room: Newsroom) -> None:
    before = room.rows("SELECT count(*) FROM reader_event")
    found = graded(room, "delivery")
    assert found["sign-up-page", f"{room.web}/weekly/"] == "well"
    assert found["leave-link", room.web] == "note"  # it works, and is not encrypted on loopback
    assert found["signing-keys", ""] == "well"
    feeds = {subject: grade for (check, subject), grade in found.items() if check == "feed"}
    assert sorted(feeds.values()) == ["fault", "well"]
    assert {found["postal-address", name] for name in ("weekly", "refused")} == {"note"}
    # The link was followed with one click, and no reader has left by it.
    assert room.rows("SELECT count(*) FROM reader_event") == before
    assert room.rows("SELECT state FROM subscriber") == [("active",)]


def test_a_service_that_runs_has_its_ports_and_is_found_at_them(room: Newsroom) -> None:
    security = graded(room, "security")
    assert {grade for (check, _), grade in security.items() if check == "ports"} == {"well"}
    delivery = graded(room, "delivery")
    assert [grade for (check, _), grade in delivery.items() if check == "port-25-in"] == ["well"]
    room.stop()
    assert [grade for (check, _), grade in graded(room, "delivery").items() if check == "port-25-in"] == [
        "note"
    ]


def test_without_the_service_its_pages_are_missed(room: Newsroom) -> None:
    room.stop()
    found = graded(room, "delivery")
    assert found["sign-up-page", f"{room.web}/weekly/"] == "fault"
    assert found["leave-link", room.web] == "fault"


def test_the_rules_for_bulk_mail_are_shown_of_a_service_that_runs(room: Newsroom) -> None:
    until("the feed is read", lambda: room.rows("SELECT count(*) FROM article") == [(2,)])
    before = room.contents()
    document = json.loads(room.run("check", "dns", "--json").stdout)
    found = {one["rule"]: one for one in document["bulk_rules"]}
    assert found["one-click"]["state"] == "not kept"  # it works, and is not encrypted on loopback
    assert found["one-click"]["remedy"] == 'url = "https://…" in [web]'
    assert found["complaints"]["text"] == "No mail of an issue was delivered in the last 30 days."
    assert found["volume"]["state"] == "to be watched"
    assert {found[rule]["state"] for rule in ("format", "from")} == {"kept"}
    assert room.contents() == before
