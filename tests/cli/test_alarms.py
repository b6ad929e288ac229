"""secondpost alarms, and the alarms in `status`."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from email import message_from_bytes, policy

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import HOUR_MS, MINUTE_MS
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.mail.queue_id import parse_queue_id
from secondpost.store.sqlite import SqliteStore
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.work import RealWork
from tests.cli.office import Office, served
from tests.store.place import content_in


def at_store(office: Office, story: Callable[[SqliteStore], Awaitable[None]]) -> None:
    work = RealWork()
    disk = RealDisk(str(office.folder / "store"))
    store = SqliteStore.open(disk, work, RealClock(), role="test", failed=lambda error: None)

    async def told() -> None:
        await story(store)

    try:
        asyncio.run(told())
    finally:
        store.close()
        work.close()


def note(office: Office) -> None:
    """An alarm that has stood for three hours, and one that ended an hour ago."""
    now_ms = RealClock().now_ms()
    since_ms = now_ms - 3 * HOUR_MS - MINUTE_MS
    standing = AlarmRecord(
        AlarmKind.NO_ROUTE, "example.net", "deliver", since_ms, "no MX\x1b[2J", since_ms, since_ms, now_ms
    )
    ended = replace(
        standing, kind=AlarmKind.MAIL_HELD, ended_ms=now_ms - HOUR_MS - MINUTE_MS, how="12 messages delivered"
    )

    async def story(store: SqliteStore) -> None:
        await store.note_alarms([standing, ended], [], [])
        await store.note_alarms([], [ended], [])

    at_store(office, story)


def test_what_stands_and_what_ended_is_listed(office: Office) -> None:
    assert office.run("alarms", "list").output == "No alarm stands.\n"
    note(office)
    lines = office.run("alarms", "list").output.splitlines()
    assert lines[0] == "ALARM for 3 h 1 min: no route (example.net): no MX\\x1b[2J"
    assert lines[1] == f"  {AlarmKind.NO_ROUTE.what_to_do}"
    assert lines[2] == (
        "OVER: mail held (example.net), ended 1 h 1 min ago after 2 hours: 12 messages delivered"
    )


def test_the_document_of_alarms(office: Office) -> None:
    note(office)
    document = json.loads(office.run("alarms", "list", "--json").output)
    [standing], [ended] = document["standing"], document["ended"]
    assert (standing["kind"], standing["severity"], standing["ended"]) == ("no-route", "act", None)
    assert (standing["mailed"], ended["how"]) == (False, "12 messages delivered")


def test_status_shows_what_stands(office: Office) -> None:
    note(office)
    assert "ALARM for 3 h 1 min: no route (example.net)" in office.run("status").output
    [alarm] = json.loads(office.run("status", "--json").output)["alarms"]
    assert alarm["kind"] == "no-route"


def test_a_test_mail_waits_for_the_service(office: Office) -> None:
    config = office.config.read_text()
    office.config.write_text(f'{config}\n[alarms]\nwebhook = "https://chat.example/hook"\n')
    with served(SqliteStore, office.folder):
        said = office.run("alarms", "test").output
    assert "A test post is on its way to the webhook." in said
    id = said.partition("`secondpost trace ")[2].partition("`")[0]

    async def story(store: SqliteStore) -> None:
        message = message_from_bytes(await content_in(store, parse_queue_id(id)), policy=policy.default)
        assert message["To"] == "me@elsewhere.example"
        assert message["Subject"] == "Secondpost mx2.example.net: a test"
        post = await store.post_due(RealClock().now_ms())
        assert post is not None
        assert json.loads(post.body)["news"] == "test"
        assert await store.alarms() == []

    at_store(office, story)


def test_without_a_service_the_test_says_so(office: Office) -> None:
    assert "nothing goes out until the service runs" in office.run("alarms", "test", code=4).output
