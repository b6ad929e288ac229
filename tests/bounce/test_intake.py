"""Bounces are counted once, for their reader and issue, in a real store."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from secondpost.bounce.complaints import Complaints
from secondpost.bounce.intake import REPORT_AGE_MS_MAX, BounceIntake, old_form_in_thread
from secondpost.mail.address import NULL_PATH
from secondpost.mail.bounce_kind import BounceKind
from secondpost.mail.inside_mail import InsideMail
from secondpost.mail.queue_id import QueueId
from secondpost.protocols.tokens import KeyRing, Purpose, Ring, Token
from secondpost.store.newsletter_store_ports import NewsletterStore
from secondpost.world.real.work import RealWork
from tests.store.place import SqlitePlace
from tests.store.readers import Publisher

REPORT = (Path(__file__).parent.parent / "protocols" / "dsn" / "01-postfix-no-such-mailbox.msg").read_bytes()
DELAYED = (Path(__file__).parent.parent / "protocols" / "dsn" / "02-delayed.msg").read_bytes()
KEYS = {ring: KeyRing(ring, {1: ring.value.encode() * 8}) for ring in Ring}


def mail(beginning: bytes, id: int = 7) -> InsideMail:
    return InsideMail(QueueId(id), NULL_PATH, "192.0.2.7", beginning)


class Desk:
    """An issue sent to one reader, and the intake of bounces."""

    def __init__(self, place: SqlitePlace, store: NewsletterStore, work: RealWork) -> None:
        self.place = place
        self.store = store
        self.publisher = Publisher(place, store)
        self.complaints = Complaints(store, place.clock, work, KEYS)
        self.intake = BounceIntake(
            store, store, place.clock, work, self.complaints, partial(old_form_in_thread, work)
        )

    async def open(self) -> None:
        [self.reader] = await self.publisher.readers("Reader@example.org")
        self.issue = await self.publisher.sent()
        self.token = Token(Purpose.BOUNCE, self.reader, self.issue.number)


def at_desk(folder: Path, story: Callable[[Desk], Awaitable[None]]) -> None:
    async def told() -> None:
        place, work = SqlitePlace(str(folder)), RealWork(1)
        desk = Desk(place, place.open_newsletter(), work)
        try:
            async with asyncio.timeout(30):
                await desk.open()
                await story(desk)
        finally:
            await place.close()
            work.close()

    asyncio.run(told())


def test_a_report_counts_once_against_its_reader_and_issue(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        assert await desk.intake.came_back(desk.token, mail(REPORT)) == "counted against issue 1: dead 5.1.1"
        assert await desk.intake.came_back(desk.token, mail(REPORT)) == "already counted"
        [bounce] = await desk.store.bounces_of(desk.reader, 10)
        assert (bounce.issue, bounce.kind, bounce.status) == (desk.issue.id, BounceKind.DEAD, "5.1.1")
        assert [event.what for event in await desk.store.events_of(desk.reader)].count("bounced") == 1

    at_desk(tmp_path, story)


def test_a_confirmation_that_comes_back_names_no_issue(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        token = Token(Purpose.BOUNCE, desk.reader, 0)
        said = await desk.intake.came_back(token, mail(REPORT))
        assert said == "counted against the confirmation: dead 5.1.1"
        [bounce] = await desk.store.bounces_of(desk.reader, 10)
        assert bounce.issue is None

    at_desk(tmp_path, story)


def test_delays_answers_and_torn_reports_are_not_counted(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        vacation = b"From: Reader <Reader@example.org>\r\nAuto-Submitted: auto-replied\r\n\r\nI am away.\r\n"
        for beginning in (DELAYED, vacation, b"", REPORT[:900]):
            assert "not counted" in await desk.intake.came_back(desk.token, mail(beginning))
        assert await desk.store.bounces_of(desk.reader, 10) == []

    at_desk(tmp_path, story)


def test_a_reader_whose_forward_fails_keeps_the_subscription(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        forward = b"Final-Recipient: rfc822; old@nowhere.example\nAction: failed\nStatus: 5.1.1\n"
        head = (
            b'Content-Type: multipart/report; boundary="b"\n\n--b\nContent-Type: message/delivery-status\n\n'
            b"Reporting-MTA: dns; mx.example.org\n\n"
        )
        reader = b"Final-Recipient: rfc822; reader@example.org\nAction: relayed\nStatus: 2.0.0\n"
        both = head + reader + b"\n" + forward + b"\n--b--\n"
        assert await desk.intake.came_back(desk.token, mail(both)) == "it reports no failure: not counted"
        alone = head + forward + b"\n--b--\n"
        assert await desk.intake.came_back(desk.token, mail(alone)) == "counted against issue 1: vague 5.1.1"

    at_desk(tmp_path, story)


def test_a_report_of_long_ago_or_of_no_issue_is_not_counted(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        missing = Token(Purpose.BOUNCE, desk.reader, 99)
        assert await desk.intake.came_back(missing, mail(REPORT)) == "there is no issue 99: not counted"
        desk.place.clock.ms += REPORT_AGE_MS_MAX + 1
        assert "too long ago" in await desk.intake.came_back(desk.token, mail(REPORT, 8))
        assert await desk.store.bounces_of(desk.reader, 10) == []

    at_desk(tmp_path, story)


def test_a_report_about_a_reader_who_was_erased_brings_nothing_back(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.store.erase(desk.reader, desk.place.clock.ms)
        assert await desk.intake.came_back(desk.token, mail(REPORT)) == "the reader is gone: not counted"

    at_desk(tmp_path, story)


def test_a_report_in_an_old_form_counts_too(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        report = (
            b"From: MAILER-DAEMON@mail.example.org\r\nSubject: failure notice\r\n\r\n"
            b"Hi. This is the qmail-send program at mail.example.org.\r\n"
            b"I'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
            b"This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
            b"<reader@example.org>:\r\nSorry, no mailbox here by that name. (#5.1.1)\r\n\r\n"
            b"--- Below this line is a copy of the message.\r\n\r\nSubject: Two new articles\r\n"
        )
        said = await desk.intake.came_back(desk.token, mail(report))
        assert said == "counted against issue 1: dead 5.1.1"

    at_desk(tmp_path, story)
